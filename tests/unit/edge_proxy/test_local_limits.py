"""What one worker decides alone, while policy does not."""

import pytest

from edge_proxy.local_limits import decide_locally
from edge_proxy.registry import Registry
from rulebook.document import parse
from smtpgated_contracts.values.mail import SessionRef
from smtpgated_contracts.values.policy import ADMITTED, Decision, DecisionKind
from tests.support.samples import session_ref

RULEBOOK = parse(
    """
schema = 1
[limits]
concurrent_sessions = 4
concurrent_sessions_per_source = 2
concurrent_sessions_per_identity = 1
[exempt]
sources = ["127.0.0.0/8"]
"""
)


def decided(*sessions: SessionRef, exempt: bool = False) -> Decision:
    """About the last of them."""
    registry: Registry[None] = Registry()
    for each in sessions:
        registry.add(each, None)
    return decide_locally(RULEBOOK, registry, sessions[-1], exempt=exempt)


def deferred_by(limit: str) -> Decision:
    return Decision(DecisionKind.DEFER, f"local limit:{limit}")


def test_without_a_rulebook_everybody_waits() -> None:
    registry: Registry[None] = Registry()
    assert decide_locally(None, registry, session_ref()).kind is DecisionKind.DEFER


def test_each_limit_defers_and_names_itself() -> None:
    crowd = [session_ref(f"192.0.2.{number}") for number in range(5)]
    assert decided(*crowd[:4]) == ADMITTED
    assert decided(*crowd) == deferred_by("concurrent_sessions")
    assert decided(session_ref(), session_ref()) == ADMITTED
    same_source = deferred_by("concurrent_sessions_per_source")
    assert decided(session_ref(), session_ref(), session_ref()) == same_source
    known = [session_ref(f"192.0.2.{number}", "subscriber-17") for number in (1, 2)]
    assert decided(known[0]) == ADMITTED
    assert decided(*known) == deferred_by("concurrent_sessions_per_identity")


def test_sessions_without_identity_are_not_counted_as_one_subscriber() -> None:
    assert decided(session_ref("192.0.2.1"), session_ref("192.0.2.2")) == ADMITTED


@pytest.mark.parametrize("source", ["127.0.0.1", "192.0.2.1"])
def test_an_exempt_source_has_no_limit_of_its_own(source: str) -> None:
    sessions = [session_ref(source, "subscriber-17") for _ in range(4)]
    assert decided(*sessions, exempt=source == "192.0.2.1") == ADMITTED
    more = [*sessions, session_ref(source)]
    assert decided(*more, exempt=True) == deferred_by("concurrent_sessions")


def test_the_limit_per_destination_holds_for_exempt_sources_too() -> None:
    book = parse("schema = 1\n[limits]\nconcurrent_sessions_per_destination = 1\n")
    registry: Registry[None] = Registry()
    one, other = session_ref("192.0.2.1"), session_ref("192.0.2.2")
    registry.add(one, None)
    assert decide_locally(book, registry, one) == ADMITTED
    registry.add(other, None)
    limited = deferred_by("concurrent_sessions_per_destination")
    assert decide_locally(book, registry, other, exempt=True) == limited
    registry.remove(one)
    assert decide_locally(book, registry, other) == ADMITTED
