"""Verdict, rules and stances -> what becomes of a message. Pure; the verdict path's last word.

In this order: a lock that came meanwhile; the rules of the content phase; infected content that
no rule admitted is refused, whatever the rulebook forgot; content above the scan limit; classes
of engines that did not judge, by their stance; else the message is released.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from edge_proxy.relay import refusals
from edge_proxy.relay.refusals import Refusal
from rulebook.values import Action, Oversize, Rulebook, Ruling, Stance
from smtpgated_contracts.values.policy import Decision, DecisionKind, Disposition
from smtpgated_contracts.values.scan import EngineClass, Verdict, VerdictKind


@dataclass(frozen=True, slots=True)
class Judgement:
    """``refusal`` is None exactly when the message is released."""

    disposition: Disposition
    refusal: Refusal | None = None
    rule_id: str = ""


RELEASED = Judgement(Disposition.RELEASE)


def refusal_of(ruling: Ruling) -> Refusal | None:
    """What the rules let a command be answered with; None: it is relayed."""
    if ruling.action is Action.REFUSE:
        return refusals.COMMAND_REFUSED.saying(ruling.reply)
    if ruling.action is Action.DEFER:
        return refusals.COMMAND_DEFERRED.saying(ruling.reply)
    if ruling.action is Action.REQUIRE_AUTH:
        return refusals.AUTH_REQUIRED.saying(ruling.reply)
    return None


def connection_refusal_of(ruling: Ruling) -> Refusal | None:
    """The same of a connection, in place of the greeting."""
    if ruling.action is Action.REFUSE:
        return refusals.REFUSED_BY_RULE.saying(ruling.reply)
    if ruling.action is Action.DEFER:
        return refusals.DEFERRED_BY_RULE.saying(ruling.reply)
    return None


def refusal_by(decision: Decision) -> Refusal | None:
    """What policy lets MAIL, DATA or BDAT be answered with; None: it admits them."""
    if decision.kind is DecisionKind.REFUSE:
        return refusals.FAR_OVER_RATE.saying(decision.reply)
    if decision.kind is DecisionKind.DEFER:
        return refusals.OVER_RATE.saying(decision.reply)
    return None


def judge_content(
    rulebook: Rulebook,
    ruling: Ruling,
    verdict: Verdict | None,
    *,
    skipped: frozenset[EngineClass],
    locked: bool,
    oversized: bool,
) -> Judgement:
    """``ruling`` is what the content rules said of ``verdict``; None: nobody was asked.

    A class in ``skipped`` is not missed: whoever says that all are away did not know.
    """
    if locked:
        return Judgement(Disposition.DEFER, refusals.LOCKED_MEANWHILE, "lock")
    return (
        _by_rule(ruling, verdict)
        or (_by_size(rulebook.scanning.oversize) if oversized else None)
        or _by_stance(rulebook.scanning.stances, verdict, skipped)
        or RELEASED
    )


def _by_rule(ruling: Ruling, verdict: Verdict | None) -> Judgement | None:
    infected = verdict is not None and verdict.kind is VerdictKind.INFECTED
    if ruling.action is Action.ADMIT:
        return Judgement(Disposition.RELEASE, rule_id=ruling.rule_id)
    if ruling.action is Action.REFUSE:
        refusal = refusals.INFECTED if infected else refusals.CONTENT_REFUSED
        return Judgement(Disposition.REFUSE, refusal.saying(ruling.reply), ruling.rule_id)
    if ruling.action is Action.DEFER:
        refusal = refusals.CONTENT_DEFERRED.saying(ruling.reply)
        return Judgement(Disposition.DEFER, refusal, ruling.rule_id)
    if infected:  # no rulebook can forget this by accident
        return Judgement(Disposition.REFUSE, refusals.INFECTED, "infected-by-default")
    return None


def _by_size(oversize: Oversize) -> Judgement | None:
    return {
        Oversize.RELEASE: Judgement(Disposition.RELEASE, rule_id="oversize"),
        Oversize.REFUSE: Judgement(Disposition.REFUSE, refusals.TOO_LARGE, "oversize"),
    }.get(oversize)


def _by_stance(
    stances: Mapping[EngineClass, Stance],
    verdict: Verdict | None,
    skipped: frozenset[EngineClass],
) -> Judgement | None:
    missing = {each.engine_class for each in verdict.missing} if verdict else set()
    if verdict is not None and verdict.kind is VerdictKind.UNSCANNED and not missing:
        missing = set(EngineClass)  # it does not say which: every one
    if any(stances[each] is Stance.CLOSED for each in missing - skipped):
        return Judgement(Disposition.DEFER, refusals.NOT_SCANNED, "stance")
    return None
