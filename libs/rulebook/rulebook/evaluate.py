"""Ask the rules of one phase about the facts."""

from typing import Final

from rulebook.values import Action, Facts, Mode, Phase, Rulebook, Ruling, TlsTreatment
from smtpgated_contracts.values.scan import EngineClass

SILENT: Final = Ruling()

_ENDING: Final = frozenset({Action.ADMIT, Action.REFUSE, Action.DEFER})
_SKIPS: Final = {Action.SKIP_VIRUS: EngineClass.VIRUS, Action.SKIP_SPAM: EngineClass.SPAM}
_TLS: Final = {
    Action.TUNNEL_TLS: TlsTreatment.TUNNEL,
    Action.MASK_TLS: TlsTreatment.MASK,
    Action.REFUSE_TLS: TlsTreatment.REFUSE,
}


def evaluate(rulebook: Rulebook, phase: Phase, facts: Facts) -> Ruling:
    """The ruling of ``phase``; ``SILENT`` when no rule had anything to say.

    A source that the rulebook exempts is never locked; its mail is judged like any other.
    """
    hits = [
        rule
        for rule in rulebook.rules.get(phase, ())
        if all(condition(facts) for condition in rule.conditions)
    ]
    if not hits:
        return SILENT
    biting = []
    shadows = []
    ending = None
    for rule in hits:
        if rule.mode is Mode.SHADOW:
            shadows.append(rule.id)
            continue
        biting.append(rule)
        if rule.action in _ENDING:
            ending = rule
            break
    lockable = not rulebook.exempt.covers(facts.source)
    treatments = [_TLS[rule.action] for rule in biting if rule.action in _TLS]
    return Ruling(
        action=ending.action if ending else None,
        rule_id=ending.id if ending else "",
        reply=ending.reply if ending else "",
        starttls=treatments[0] if treatments else None,
        skip=frozenset(_SKIPS[rule.action] for rule in biting if rule.action in _SKIPS),
        locks=tuple((rule.id, rule.lock_s) for rule in biting if rule.lock_s and lockable),
        noted=tuple(rule.id for rule in biting if rule is not ending),
        shadows=tuple(shadows),
    )
