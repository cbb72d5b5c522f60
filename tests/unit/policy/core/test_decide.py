"""OpenSession: locks, then limits; exemption before both."""

import pytest

from policy.core.decide import DECISIONS, judge
from policy.core.exemptions import Exemption
from policy.core.farm import Farm, Picture, StoredRulebook
from policy.core.leases import Caps, Standing
from smtpgated_contracts.values.policy import Decision, DecisionKind
from tests.contract.policy.samples import lock, session

DOCUMENT = """
schema = 1
[limits]
concurrent_sessions = 7
concurrent_sessions_per_source = 3
[exempt]
sources = ["127.0.0.0/8"]
"""


@pytest.fixture
def farm() -> Farm:
    made = Farm()
    locks = (
        lock("address:192.0.2.1", 1000, "virus"),
        lock("prefix:198.51.100.0/24", 0, "abuse"),
        lock("identity:bad", 0, "spam"),
        lock("address:127.0.0.1", 0, "slip"),
        lock("address:203.0.113.1", 0, "slip"),
    )
    picture = Picture(1, StoredRulebook(1, DOCUMENT), locks, (Exemption("address:203.0.113.1"),))
    made.load(picture, 0)
    return made


@pytest.mark.parametrize(
    ("source", "identity", "cause"),
    [
        ("192.0.2.1", "", "lock:virus"),
        ("198.51.100.77", "", "lock:abuse"),
        ("192.0.2.9", "bad", "lock:spam"),
    ],
)
def test_a_locked_source_is_refused(farm: Farm, source: str, identity: str, cause: str) -> None:
    assert judge(farm, session("a", source, identity), 0) == Decision(DecisionKind.REFUSE, cause)


def test_an_expired_lock_refuses_nobody(farm: Farm) -> None:
    assert judge(farm, session("a", "192.0.2.1"), 1000) == Caps(7, 3)


@pytest.mark.parametrize(
    ("source", "identity"), [("127.0.0.1", ""), ("203.0.113.1", ""), ("203.0.113.1", "bad")]
)
def test_an_exempt_source_meets_no_lock_and_no_limit_per_source(
    farm: Farm, source: str, identity: str
) -> None:
    assert judge(farm, session("a", source, identity), 0) == Caps(7, 0)


def test_every_standing_has_its_decision() -> None:
    assert set(DECISIONS) == set(Standing)
    kinds = {standing: decision.kind for standing, decision in DECISIONS.items()}
    assert kinds.pop(Standing.GRANTED) is DecisionKind.ADMIT
    assert set(kinds.values()) == {DecisionKind.DEFER}
