"""DNS blocklists: how an address is asked for, and which answers list it."""

import pytest

from policy.dns.dnsbl import DnsblChecker, reverse
from policy.dns.records import Kind, Lookup, Value
from rulebook.dns import Dnsbl, WithoutAnswer
from rulebook.networks import NetworkSet
from service_kit.failures import Unavailable
from tests.contract.policy.samples import soon
from tests.unit.policy.dns.known_names import FAILURE, KnownNames, resolver_of

ZONE = Dnsbl("bl.example")
CAREFUL = Dnsbl("bl.example", on_failure=WithoutAnswer.LISTED)
TWO_ONLY = Dnsbl("bl.example", NetworkSet.parse(["127.0.0.2", "127.0.1.0/24"]))


def test_octets_and_nibbles_stand_in_reverse() -> None:
    """RFC 5782 §2.1 and §2.4."""
    assert reverse("192.0.2.99") == "99.2.0.192"
    assert reverse("2001:db8::567:89ab") == (
        "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"
    )


async def listed(
    lists: list[Dnsbl], *values: Value, failure: Unavailable | None = None
) -> tuple[str, ...]:
    lookup = Lookup("1.2.0.192.bl.example", Kind.A)
    names = KnownNames({lookup: failure or values})
    resolver = resolver_of(names)
    checker = DnsblChecker(resolver)
    assert checker.known("192.0.2.1", lists) is None
    found = await checker.listed("192.0.2.1", lists, soon())
    assert checker.known("192.0.2.1", lists) == found
    await resolver.aclose()
    return found


@pytest.mark.parametrize(
    ("dnsbl", "values", "is_listed"),
    [
        (ZONE, (), False),
        (ZONE, ("127.0.0.2",), True),
        (ZONE, ("127.9.9.9",), True),
        (ZONE, ("192.0.2.66",), False),
        (ZONE, ("192.0.2.66", "127.0.0.4"), True),
        (TWO_ONLY, ("127.0.0.2",), True),
        (TWO_ONLY, ("127.0.0.3",), False),
        (TWO_ONLY, ("127.0.1.200",), True),
    ],
)
async def test_an_answer_lists_where_it_counts(
    dnsbl: Dnsbl, values: tuple[str, ...], is_listed: bool
) -> None:
    assert await listed([dnsbl], *values) == (("bl.example",) if is_listed else ())


@pytest.mark.parametrize("said", ["127.255.255.252", "127.255.255.254", "127.255.255.255"])
async def test_a_zone_that_refuses_our_resolver_lists_nobody_by_it(said: str) -> None:
    assert await listed([ZONE], said) == ()
    assert await listed([CAREFUL], said) == ("bl.example",)


async def test_a_zone_without_an_answer_counts_as_its_list_says() -> None:
    assert await listed([ZONE], failure=FAILURE) == ()
    assert await listed([CAREFUL], failure=FAILURE) == ("bl.example",)


async def test_zones_stand_in_the_order_of_the_lists() -> None:
    lists = [Dnsbl("b.example"), CAREFUL, Dnsbl("a.example")]
    names = KnownNames(
        {
            Lookup("1.2.0.192.a.example", Kind.A): ("127.0.0.2",),
            Lookup("1.2.0.192.b.example", Kind.A): ("127.0.0.2",),
        }
    )
    resolver = resolver_of(names)
    found = await DnsblChecker(resolver).listed("192.0.2.1", lists, soon())
    assert found == ("b.example", "a.example")
    assert len(names.asked) == 3
    await resolver.aclose()
