"""Values as text and back."""

from dataclasses import replace

import pytest

from policy.core.exemptions import Exemption
from policy.core.farm import (
    Change,
    ExemptionRemoved,
    IdentitiesPut,
    IdentitiesRemoved,
    LockRemoved,
    StoredRulebook,
)
from policy.core.identities import NetworkIdentity
from policy.store.records import (
    LOCKS,
    RecordError,
    change_from,
    change_to,
    progress_from,
    progress_to_text,
)
from smtpgated_contracts.values.policy import Lock
from tests.contract.policy.samples import progress

CHANGES: tuple[Change, ...] = (
    Lock("address:192.0.2.1", "virus", 5, 3, "edge", 'reason "with" żółw'),
    LockRemoved("prefix:192.0.2.0/24"),
    Exemption("identity:me", "reason", "admin", 7),
    ExemptionRemoved("auth:you"),
    IdentitiesPut((NetworkIdentity("2001:db8::/56", "żółw 17", 5, "admin", 3),)),
    IdentitiesRemoved(("192.0.2.1", "2001:db8::/56")),
    StoredRulebook(3, "schema = 1\n"),
)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: type(change).__name__)
def test_a_change_survives_the_feed(change: Change) -> None:
    assert change_from(*change_to(change)) == change


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("colour", "{}"),
        ("lock", "not JSON"),
        ("lock", "[]"),
        ("lock", '{"subject": "address:192.0.2.1"}'),
        ("lock", '{"subject": "nobody", "cause": "x"}'),
        ("lock", '{"subject": "address:192.0.2.1", "cause": "x", "expires_at_ms": "soon"}'),
        ("lock_removed", "nobody"),
        ("exemption_removed", ""),
        ("identities", "{}"),
        ("identities", '[{"network": "192.0.2.1/32", "identity": "joe"}]'),
        ("identities", '[{"network": "192.0.2.1", "identity": "two\\nlines"}]'),
        ("identities_removed", '["192.0.2.1/24"]'),
        ("rulebook", '{"version": "one", "document": ""}'),
    ],
)
def test_what_is_no_change_is_a_record_error(kind: str, text: str) -> None:
    with pytest.raises(RecordError):
        change_from(kind, text)


def test_a_key_that_a_newer_replica_wrote_is_ignored() -> None:
    text = '{"subject": "address:192.0.2.1", "cause": "x", "stage": 3}'
    assert LOCKS.from_text(text) == Lock("address:192.0.2.1", "x")


def test_a_session_survives_the_store() -> None:
    described = replace(
        progress("a", "2001:db8::1", "tunnel", 3, 77),
        octets_up=2**63,
        octets_down=7,
        estimated_messages=12,
    )
    assert progress_from("a", 77, progress_to_text(described)) == described


def test_a_session_that_an_older_replica_wrote_is_read() -> None:
    described = progress("a", transactions=3)
    text = progress_to_text(described)
    for key in ("octets_up", "octets_down", "estimated_messages"):
        text = text.replace(f',"{key}":0', "")
    assert "octets" not in text
    assert progress_from("a", 0, text) == described
