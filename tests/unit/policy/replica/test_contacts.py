"""Which edges were heard of."""

import pytest

from policy.replica import contacts
from policy.replica.contacts import EdgeContacts
from service_kit.clock import ManualClock


def test_the_last_contact_is_told_once() -> None:
    clock = ManualClock()
    heard = EdgeContacts(clock)
    heard.heard_of("edge-1")
    clock.advance(3)
    heard.heard_of("edge-1")
    heard.heard_of("")
    assert heard.take() == {"edge-1": clock.unix_ms()}
    assert heard.take() == {}


def test_names_and_their_number_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contacts, "MOST_EDGES", 2)
    heard = EdgeContacts(ManualClock())
    for name in ("a" * 500, "b", "c", "b"):
        heard.heard_of(name)
    assert set(heard.take()) == {"a" * 128, "b"}
