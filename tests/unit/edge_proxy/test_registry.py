"""Sessions found by what they can be locked and counted by."""

from edge_proxy.registry import Registry
from smtpgated_contracts.values.mail import EdgeId, Endpoint, SessionId, SessionRef


def ref(name: str, address: str, identity: str = "") -> SessionRef:
    there = Endpoint("198.51.100.1", 25)
    return SessionRef(SessionId(name), EdgeId("e"), Endpoint(address, 40000), there, identity)


A = ref("a", "192.0.2.1", "subscriber-17")
B = ref("b", "192.0.2.2")
C = ref("c", "2001:db8:0:1::1")
D = ref("d", "2001:db8:0:1::2")


def registry() -> Registry[str]:
    made: Registry[str] = Registry()
    for each in (A, B, C, D):
        made.add(each, each.session_id)
    return made


def test_sessions_are_found_by_address_identity_and_prefix_each_once() -> None:
    assert registry().of(["address:192.0.2.1", "identity:subscriber-17"]) == ["a"]
    assert registry().of(["prefix:192.0.2.0/24", "address:192.0.2.2"]) == ["a", "b"]
    assert registry().of(["prefix:2001:db8::/32"]) == ["c", "d"]
    assert registry().of(["prefix:nonsense", "address:203.0.113.1"]) == []


def test_ipv6_sources_are_counted_by_their_64() -> None:
    assert registry().count(C) == 2
    assert registry().count(A) == 1


def test_a_removed_session_is_found_no_more() -> None:
    sessions = registry()
    sessions.remove(C)
    assert sessions.count(D) == 1
    assert sessions.of(["prefix:2001:db8::/32", "address:2001:db8:0:1::1"]) == ["d"]
    assert list(sessions) == ["a", "b", "d"]
    assert len(sessions) == 3


def test_sessions_of_one_identity_are_counted_wherever_they_come_from() -> None:
    sessions = registry()
    again = ref("e", "203.0.113.1", "subscriber-17")
    sessions.add(again, "e")
    assert sessions.count_identity(again) == 2
    assert sessions.count_identity(B) == 0, "no identity is not one identity"
