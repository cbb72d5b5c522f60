"""A smtp-gated.conf -> a draft of our files, every directive of it accounted for."""

from pydantic import ValidationError

from edge_proxy.config import EdgeSettings
from edge_proxy.legacy.demands import translate_demands
from edge_proxy.legacy.documents import toml
from edge_proxy.legacy.draft import Draft, File, Old
from edge_proxy.legacy.judging import translate_judging
from edge_proxy.legacy.left_out import GONE, NO_EFFECT, OFF, OTHER_TEXTS
from edge_proxy.legacy.rates import translate_rates
from edge_proxy.legacy.syntax import read
from edge_proxy.legacy.telling import translate_telling
from edge_proxy.legacy.way_in import translate_smtp, translate_way_in
from rulebook.document import parse
from rulebook.errors import RulebookError


def translate(text: str) -> tuple[Old, Draft]:
    """Raises LegacyError: what the old program would not have started with."""
    old, draft = Old(read(text)), Draft()
    translate_way_in(old, draft)
    translate_smtp(old, draft)
    translate_demands(old, draft)
    translate_rates(old, draft)
    translate_judging(old, draft)
    translate_telling(old, draft)
    if "engines" not in draft.files[File.SCANNER]:
        draft.files[File.SCANNER].clear()  # nothing is scanned, so no scanner is needed
    for name in old.given:
        if name not in draft.became and name not in draft.lacking:
            draft.say(name, _reason(old, name))
    return old, draft


def to_put_right(draft: Draft) -> list[str]:
    """What our services would say against the draft: a script that is not there, and the like."""
    problems = []
    try:
        EdgeSettings.model_validate(draft.files[File.EDGE])
    except ValidationError as invalid:
        for each in invalid.errors(include_url=False, include_input=False):
            place = ".".join(str(part) for part in each["loc"])
            problems.append(f"{File.EDGE}: {place}: {each['msg']}")
    try:
        parse(toml(draft.files[File.RULEBOOK]))
    except RulebookError as wrong:
        problems.append(f"{File.RULEBOOK}: {wrong}")
    return problems


def _reason(old: Old, name: str) -> str:
    if name in GONE:
        return GONE[name]
    if name.startswith("msg_"):
        return OTHER_TEXTS
    return OFF if old.is_default(name) else NO_EFFECT
