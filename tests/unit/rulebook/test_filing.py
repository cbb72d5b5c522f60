import pytest

from rulebook.conditions import AnyOf, InDomains, InNetworks, OneOf, Over
from rulebook.filing import File, file_under, finder, most_selective
from rulebook.networks import NetworkSet
from rulebook.rules import Condition
from rulebook.values import Facts

NETWORKS = InNetworks("source", NetworkSet.parse(["192.0.2.0/24", "2001:db8::/32"]))
DOMAINS = InDomains("sender_domain", frozenset({"a.example"}), frozenset({"b.example"}))


def found(condition: Condition, facts: Facts) -> bool:
    file: File = {}
    file_under(condition, file, 7)
    return finder(condition.key, file)(facts) == [7]


@pytest.mark.parametrize(
    ("address", "there"),
    [("192.0.2.9", True), ("192.0.3.9", False), ("2001:db8::9", True), ("", False)],
)
def test_an_address_looks_under_each_length_of_prefix(address: str, there: bool) -> None:
    assert found(NETWORKS, Facts(address)) is there


@pytest.mark.parametrize(
    ("address", "there"),
    [
        (b"x@a.example", True),
        (b"x@c.a.example", False),
        (b"x@b.example", True),
        (b"x@C.D.B.example.", True),
        (b"x@example", False),
        (b"", False),
    ],
)
def test_a_domain_looks_under_all_it_lies_in(address: bytes, there: bool) -> None:
    assert found(DOMAINS, Facts("192.0.2.7", reverse_path=address)) is there


def test_a_set_looks_under_each_of_its_members() -> None:
    listed = AnyOf("dnsbl", frozenset({"one", "two"}))
    assert found(listed, Facts("192.0.2.7", dnsbl=frozenset({"two", "three"})))
    assert not found(listed, Facts("192.0.2.7", dnsbl=frozenset({"three"})))


def test_the_condition_that_holds_for_the_fewest_is_chosen() -> None:
    identity = OneOf("identity", frozenset({"subscriber-17"}))
    known = OneOf("authenticated", frozenset({True}))
    load = Over("load_over", 4.0)
    assert most_selective((load, known, NETWORKS, identity)) is identity
    assert most_selective((load, known, DOMAINS, NETWORKS)) is NETWORKS
    assert most_selective((load, known)) is known
    assert most_selective((load,)) is None
