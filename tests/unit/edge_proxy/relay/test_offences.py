"""What is answered without any rule costs what the rulebook says it does."""

from typing import Final

import pytest

from edge_proxy.relay.actions import Note
from edge_proxy.relay.facts import SanctionAsked
from edge_proxy.relay.session import RelaySession
from edge_proxy.relay.settings import CoreSettings, EarlyTalker
from rulebook.document import parse
from rulebook.values import Rulebook, Sanction
from smtpgated_contracts.values.policy import Decision, DecisionKind
from tests.support.relay_samples import SESSION

SANCTIONS: Final = """
schema = 1
[sanctions]
early_talker = { lock_s = 60 }
concurrent_sessions_per_source = { points = 5 }
"""
EXEMPT: Final = f'{SANCTIONS}[exempt]\nsources = ["{SESSION.source.address}"]'


def asked(core: RelaySession, decision: Decision | None = None) -> list[Sanction]:
    """After the client has spoken, before or after policy has."""
    actions = [*core.start(locked=False), *core.upstream_connected()]
    if decision is not None:
        actions += core.decided(decision)
    else:
        actions += core.downstream_octets(b"EHLO x\r\n")
    facts = [action.fact for action in actions if isinstance(action, Note)]
    return [fact.sanction for fact in facts if isinstance(fact, SanctionAsked)]


def core(rulebook: Rulebook, talk: EarlyTalker = EarlyTalker.REFUSE) -> RelaySession:
    return RelaySession(CoreSettings(early_talker=talk), SESSION, rulebook)


@pytest.mark.parametrize(
    ("text", "talk", "sanctions"),
    [
        (SANCTIONS, EarlyTalker.REFUSE, [Sanction("early_talker", lock_s=60)]),
        (SANCTIONS, EarlyTalker.NOTE, [Sanction("early_talker", lock_s=60)]),
        (SANCTIONS, EarlyTalker.IGNORE, []),
        (EXEMPT, EarlyTalker.REFUSE, []),
        ("schema = 1", EarlyTalker.REFUSE, []),
    ],
)
def test_who_speaks_before_the_greeting_bears_it(
    text: str, talk: EarlyTalker, sanctions: list[Sanction]
) -> None:
    assert asked(core(parse(text), talk)) == sanctions


@pytest.mark.parametrize("judge", ["", "local "])
@pytest.mark.parametrize(
    ("limit", "points"),
    [("concurrent_sessions_per_source", 5), ("concurrent_sessions", 0), ("a rate", 0)],
)
def test_who_has_more_sessions_than_allowed_bears_it(judge: str, limit: str, points: int) -> None:
    decision = Decision(DecisionKind.DEFER, f"{judge}limit:{limit}")
    sanctions = asked(core(parse(SANCTIONS)), decision)
    assert [each.points for each in sanctions] == ([points] if points else [])
