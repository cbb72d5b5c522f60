"""What every test of the relay core needs: a session, a rulebook, verdicts of every kind."""

from dataclasses import replace
from typing import Final

from rulebook.defaults import DEFAULT_DOCUMENT
from rulebook.document import parse
from rulebook.values import Rulebook, Stance
from smtpgated_contracts.values.mail import EdgeId, Endpoint, SessionId, SessionRef
from smtpgated_contracts.values.scan import (
    EngineClass,
    Finding,
    Missing,
    Verdict,
    VerdictKind,
    unscanned,
)

SESSION: Final = SessionRef(
    SessionId("s1"), EdgeId("e1"), Endpoint("192.0.2.7", 40000), Endpoint("198.51.100.25", 25)
)
RULEBOOK: Final = replace(parse(DEFAULT_DOCUMENT), rates=())
"""The default without its rates: nothing is asked of policy after the session's beginning."""

CLEAN: Final = Verdict(VerdictKind.CLEAN)
INFECTED: Final = Verdict(
    VerdictKind.INFECTED,
    (Finding("engine", EngineClass.VIRUS, VerdictKind.INFECTED, "Test-Signature"),),
)
SUSPECT: Final = Verdict(
    VerdictKind.SUSPECT,
    (Finding("engine", EngineClass.SPAM, VerdictKind.SUSPECT, "TEST_RULE", score=9.5),),
)
UNSCANNED: Final = unscanned("engine away")
NO_SPAM_ENGINE: Final = unscanned("engine away", EngineClass.SPAM)
INFECTED_NO_SPAM_ENGINE: Final = Verdict(
    VerdictKind.INFECTED, INFECTED.findings, (Missing(EngineClass.SPAM, "engine away"),)
)
VERDICTS: Final = (CLEAN, INFECTED, SUSPECT, UNSCANNED, NO_SPAM_ENGINE, INFECTED_NO_SPAM_ENGINE)


def lets_through(
    rulebook: Rulebook, verdict: Verdict, skipped: frozenset[EngineClass] = frozenset()
) -> bool:
    """Whether a verdict alone lets a message go, under the default rules. Said once more here,
    in the plainest way, so that the core's own judgement has something to differ from."""
    if verdict.kind in (VerdictKind.INFECTED, VerdictKind.SUSPECT):
        return False
    stances = rulebook.scanning.stances
    missing = {each.engine_class for each in verdict.missing} - skipped
    return all(stances[each] is Stance.OPEN for each in missing)
