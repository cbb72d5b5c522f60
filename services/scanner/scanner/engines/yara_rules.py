"""Rule files, compiled together: the builtin ones and the operator's.

Every rule may say in its meta what it judges: "virus" (the default: what matches a rule is
bad) or "spam", then with a score. Each file has a namespace of its own, so that two files may
use one rule's name.

Errors: RulesUnusable, a sentence for the operator.
"""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Final

import yara_x

from scanner.core.yara_wire import RuleMatch

BUILTIN: Final = "builtin"
VIRUS: Final = "virus"
SPAM: Final = "spam"


class RulesUnusable(Exception):  # noqa: N818 - the state of the rules
    """A rule file cannot be read, or a rule in it cannot be used: says which and why."""


def compiled(sources: Sequence[str]) -> yara_x.Rules:
    """``sources``: paths of rule files, and BUILTIN."""
    compiler = yara_x.Compiler()
    for source in sources:
        compiler.new_namespace(source)
        try:
            compiler.add_source(_text(source), origin=source)
        except yara_x.CompileError as wrong:
            raise RulesUnusable(f"{source}: {_first_lines(wrong)}") from None
    rules = compiler.build()
    for rule in rules:
        match_of(rule)
    return rules


def match_of(rule: yara_x.Rule) -> RuleMatch:
    """What it means that this rule matched. Raises RulesUnusable if its meta is not in order."""
    meta = dict(rule.metadata)
    judges = meta.get("judges", VIRUS)
    score = meta.get("score")
    where = f"{rule.namespace}: rule {rule.identifier}"
    if judges not in (VIRUS, SPAM):
        raise RulesUnusable(f'{where}: judges = {judges!r} must be "{VIRUS}" or "{SPAM}"')
    if judges == VIRUS:
        return RuleMatch(rule.identifier, VIRUS, 0.0)
    if isinstance(score, bool) or not isinstance(score, int | float):
        raise RulesUnusable(f"{where}: judges spam, so it needs a number as score")
    return RuleMatch(rule.identifier, SPAM, float(score))


def _text(source: str) -> str:
    path = files("scanner.engines") / "rules" / "builtin.yar" if source == BUILTIN else Path(source)
    try:
        return path.read_text(encoding="utf-8")
    except OSError as wrong:
        raise RulesUnusable(f"{source}: cannot be read: {wrong.strerror}") from None
    except UnicodeDecodeError:
        raise RulesUnusable(f"{source}: not UTF-8 text") from None


def _first_lines(wrong: yara_x.CompileError) -> str:
    """What is wrong and where, of a picture that is several lines high."""
    title, *rest = (line.strip() for line in str(wrong).splitlines())
    place = next((line.removeprefix("-->").strip() for line in rest if "-->" in line), "")
    return f"{title} ({place})" if place else title
