"""Ask the rules of one phase about the facts."""

from collections.abc import Iterable
from typing import Final

from rulebook.index import Candidate
from rulebook.patterns import PatternCutError
from rulebook.permitted import LENIENT
from rulebook.rules import Sanction
from rulebook.values import Action, Facts, Mode, Phase, Rule, Rulebook, Ruling, TlsTreatment
from smtpgated_contracts.values.scan import EngineClass

SILENT: Final = Ruling()

ENDING: Final = frozenset({Action.ADMIT, Action.REFUSE, Action.DEFER, Action.REQUIRE_AUTH})
_SKIPS: Final = {Action.SKIP_VIRUS: EngineClass.VIRUS, Action.SKIP_SPAM: EngineClass.SPAM}
_TLS: Final = {
    Action.TUNNEL_TLS: TlsTreatment.TUNNEL,
    Action.MASK_TLS: TlsTreatment.MASK,
    Action.REFUSE_TLS: TlsTreatment.REFUSE,
}


def evaluate(rulebook: Rulebook, phase: Phase, facts: Facts) -> Ruling:
    """The ruling of ``phase``; ``SILENT`` when no rule had anything to say.

    A source that the rulebook exempts bears no sanction; its mail is judged like any other.
    """
    index = rulebook.indices.get(phase)
    if index is None:
        return SILENT
    return judge(rulebook, index.candidates(facts), facts)


def judge(rulebook: Rulebook, candidates: Iterable[Candidate], facts: Facts) -> Ruling:
    """What these rules say, asked in their order until one of them ends the phase."""
    biting: list[Rule] = []
    shadows: list[str] = []
    cut: list[str] = []
    ending = None
    for rule, conditions in candidates:
        held = True
        for condition in conditions:
            try:
                held = condition(facts)
            except PatternCutError:
                cut.append(rule.id)
                held = holds_when_cut(rule)
            if not held:
                break
        if not held:
            continue
        if rule.mode is Mode.SHADOW:
            shadows.append(rule.id)
            continue
        biting.append(rule)
        if rule.action in ENDING:
            ending = rule
            break
    if not (biting or shadows or cut):
        return SILENT
    return _ruling(biting, ending, shadows, cut, exempt=rulebook.exempt.covers(facts.source))


def holds_when_cut(rule: Rule) -> bool:
    """A pattern that was cut holds, but for nothing that a stranger might wish for."""
    return rule.action not in LENIENT


def _ruling(
    biting: list[Rule], ending: Rule | None, shadows: list[str], cut: list[str], *, exempt: bool
) -> Ruling:
    treatments = [_TLS[rule.action] for rule in biting if rule.action in _TLS]
    return Ruling(
        action=ending.action if ending else None,
        rule_id=ending.id if ending else "",
        reply=ending.reply if ending else "",
        starttls=treatments[0] if treatments else None,
        skip=frozenset(_SKIPS[rule.action] for rule in biting if rule.action in _SKIPS),
        sanctions=tuple(
            Sanction(rule.id, rule.on, rule.lock_s, rule.points)
            for rule in biting
            if (rule.lock_s or rule.points) and not exempt
        ),
        profiles=tuple(rule.profile for rule in biting if rule.action is Action.LIMIT_PROFILE),
        relay_unread=any(rule.action is Action.RELAY_UNREAD for rule in biting),
        noted=tuple(rule.id for rule in biting if rule is not ending),
        shadows=tuple(shadows),
        cut=tuple(dict.fromkeys(cut)),
    )
