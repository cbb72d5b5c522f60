"""OpenSession: locks, then limits; exemption before both."""

import pytest

from policy.core.decide import DECISIONS, identified, judge
from policy.core.exemptions import Exemption
from policy.core.farm import Farm, Picture, StoredRulebook
from policy.core.identities import NetworkIdentity
from policy.core.leases import Caps, Standing
from smtpgated_contracts.values.policy import Decision, DecisionKind
from tests.contract.policy.samples import lock, session

DOCUMENT = """
schema = 1
[limits]
concurrent_sessions = 7
concurrent_sessions_per_source = 3
concurrent_sessions_per_identity = 2
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


def test_the_limit_per_destination_is_for_everybody() -> None:
    document = "schema = 1\n[limits]\nconcurrent_sessions_per_destination = 9\n"
    farm = Farm()
    book = StoredRulebook(1, document)
    farm.load(Picture(1, book, (), (Exemption("address:192.0.2.1"),)), 0)
    for source in ("192.0.2.1", "192.0.2.2"):
        assert judge(farm, session("a", source), 0) == Caps(per_destination=9)


def test_only_who_has_an_identity_meets_the_limit_per_identity(farm: Farm) -> None:
    assert judge(farm, session("a", "192.0.2.9", "joe"), 0) == Caps(7, 3, 2)
    assert judge(farm, session("a", "192.0.2.9"), 0) == Caps(7, 3)


def test_the_table_names_a_source_unless_its_edge_did(farm: Farm) -> None:
    farm.identities.put(NetworkIdentity("192.0.2.0/24", "joe", expires_at_ms=1000))
    known = session("a", "192.0.2.9", "ann")
    assert identified(farm, session("a", "192.0.2.9"), 999).identity == "joe"
    assert identified(farm, session("a", "192.0.2.9"), 1000).identity == ""
    assert identified(farm, session("a", "198.51.100.9"), 0).identity == ""
    assert identified(farm, known, 0) is known


def test_every_standing_has_its_decision() -> None:
    assert set(DECISIONS) == set(Standing)
    kinds = {standing: decision.kind for standing, decision in DECISIONS.items()}
    assert kinds.pop(Standing.GRANTED) is DecisionKind.ADMIT
    assert set(kinds.values()) == {DecisionKind.DEFER}
