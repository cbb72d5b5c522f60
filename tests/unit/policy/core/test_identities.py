"""Who is behind an address."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.core import identities
from policy.core.identities import (
    IdentityTable,
    NetworkIdentity,
    check_entry,
    check_identity,
    normal_network,
)
from policy.core.subjects import SubjectError


def table(**networks: str) -> IdentityTable:
    return IdentityTable(NetworkIdentity(network, who) for who, network in networks.items())


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("192.0.2.1/32", "192.0.2.1"),
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("2001:DB8:0::17", "2001:db8::17"),
        ("2001:db8::17/128", "2001:db8::17"),
        ("2001:db8:17::/56", "2001:db8:17::/56"),
        ("0.0.0.0/0", "0.0.0.0/0"),
    ],
)
def test_a_network_has_one_spelling(text: str, network: str) -> None:
    assert normal_network(text) == network
    assert normal_network(network) == network


@pytest.mark.parametrize(
    "text", ["", "/", "nowhere", "192.0.2.1/24", "192.0.2.0/33", "fe80::1%eth0", "192.0.2.1 "]
)
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(SubjectError):
        normal_network(text)


@pytest.mark.parametrize("text", ["", " joe", "two\nlines", "x" * 257])
def test_what_is_no_identity_is_refused(text: str) -> None:
    with pytest.raises(SubjectError):
        check_identity(text)


def test_an_entry_in_another_spelling_is_refused() -> None:
    check_entry(NetworkIdentity("192.0.2.1", "joe"))
    with pytest.raises(SubjectError, match=r"192\.0\.2\.1"):
        check_entry(NetworkIdentity("192.0.2.1/32", "joe"))


def test_the_longest_network_that_still_holds_says_who_it_is() -> None:
    known = IdentityTable(
        [
            NetworkIdentity("2001:db8::/32", "isp"),
            NetworkIdentity("2001:db8:17::/48", "joe", 100),
            NetworkIdentity("2001:db8:17::25", "ann", 50),
        ]
    )
    who = [known.of("2001:db8:17::25", now_ms) for now_ms in (49, 50, 99, 100)]
    assert [each.identity for each in who if each] == ["ann", "joe", "joe", "isp"]
    assert known.of("2001:db9::", 0) is None
    assert known.of("192.0.2.1", 0) is None


networks = st.one_of(
    st.builds(
        lambda number, bits: str(ip_network((number >> (32 - bits) << (32 - bits), bits))),
        st.integers(0, 2**32 - 1),
        st.integers(0, 32),
    ),
    st.builds(
        lambda number, bits: str(
            ip_network(((number << 112) >> (128 - bits) << (128 - bits), bits))
        ),
        st.integers(0, 2**16 - 1),
        st.integers(0, 128),
    ),
).map(normal_network)
addresses = networks.map(lambda network: network.partition("/")[0])


@given(st.lists(st.tuples(networks, st.sampled_from("abc"), st.booleans()), max_size=30), addresses)
def test_it_says_what_looking_at_every_network_would_say(
    history: list[tuple[str, str, bool]], address: str
) -> None:
    known, model = IdentityTable(), dict[str, str]()
    for network, who, is_put in history:
        if is_put:
            known.put(NetworkIdentity(network, who))
            model[network] = who
        else:
            found = known.remove(network)
            assert (found.identity if found else None) == model.pop(network, None)
    round_it = [ip_network(each) for each in model if ip_address(address) in ip_network(each)]
    longest = max(round_it, key=lambda each: each.prefixlen, default=None)
    found = known.of(address, 0)
    assert (found.identity if found else None) == (
        model[normal_network(str(longest))] if longest else None
    )
    for who in "abc":
        assert {each.network for each in known.of_identity(who)} == {
            network for network, whose in model.items() if whose == who
        }
    assert {each.network for each in known} == set(model)


def test_a_network_put_again_is_the_newest_and_its_new_owners_alone() -> None:
    known = table(joe="192.0.2.1", ann="192.0.2.2")
    known.put(NetworkIdentity("192.0.2.1", "ann"))
    assert len(known) == 2
    assert [each.network for each in known.of_identity("ann")] == ["192.0.2.1", "192.0.2.2"]
    assert list(known.of_identity("joe")) == []
    assert next(iter(known)).network == "192.0.2.1"


def test_becoming_another_table_changes_only_what_differs() -> None:
    known = table(joe="192.0.2.1", ann="192.0.2.2", tom="192.0.2.3")
    before = known.changes
    known.become(known.in_force(0))
    assert known.changes == before
    other = (NetworkIdentity("192.0.2.1", "joe"), NetworkIdentity("192.0.2.2", "eve"))
    known.become(other)
    assert {each.network: each.identity for each in known} == {
        "192.0.2.1": "joe",
        "192.0.2.2": "eve",
    }
    assert known.changes > before


def test_what_has_expired_is_forgotten_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identities, "MOST_AT_ONCE", 2)
    known = IdentityTable(NetworkIdentity(f"192.0.2.{at}", "joe", at) for at in range(1, 6))
    known.put(NetworkIdentity("192.0.2.9", "joe"))
    assert known.in_force(4) == tuple(
        NetworkIdentity(network, "joe", end)
        for network, end in (("192.0.2.5", 5), ("192.0.2.9", 0))
    )
    assert [known.expire(4) for _ in range(3)] == [2, 2, 0]
    assert [each.network for each in known] == ["192.0.2.9", "192.0.2.5"]
