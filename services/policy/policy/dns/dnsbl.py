"""DNS blocklists (RFC 5782): which of some zones list an address.

An address is listed where the zone has an A record for it whose value is among the list's
``answers``. A value in 127.255.255.0/24 is none: zones say with it that they do not answer *this
resolver* (it asks too often, or is no customer's), of every address, and whoever took that for
a listing would stop all mail. It is a failure, and what cannot be found out meets ``on_failure``.

Never raises.
"""

import asyncio
from collections.abc import Sequence
from ipaddress import IPv4Network, ip_address
from typing import Final

from policy.dns.cache import Outcome
from policy.dns.records import Kind, Lookup
from policy.dns.resolver import Resolver
from policy.metrics import DNSBL_ANSWERS, DnsblAnswer
from rulebook.dns import Dnsbl, WithoutAnswer
from service_kit.failures import Unavailable

_REFUSALS: Final = IPv4Network("127.255.255.0/24")


class DnsblChecker:
    """Asks ``resolver``."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    def known(self, address: str, lists: Sequence[Dnsbl]) -> tuple[str, ...] | None:
        """``listed``, if nobody has to be asked for it; else None."""
        lookups = _lookups(address, lists)
        outcomes: list[Outcome] = []
        for lookup in lookups:
            outcome = self._resolver.known(lookup)
            if outcome is None:
                return None
            outcomes.append(outcome)
        return _zones(lists, outcomes)

    async def listed(
        self, address: str, lists: Sequence[Dnsbl], deadline: float
    ) -> tuple[str, ...]:
        """The zones of ``lists``, in their order, that list ``address``, asked all at once.

        ``deadline``: the loop's clock.
        """
        lookups = _lookups(address, lists)
        asking = (self._resolver.find(each, deadline) for each in lookups)
        return _zones(lists, await asyncio.gather(*asking))


def _lookups(address: str, lists: Sequence[Dnsbl]) -> list[Lookup]:
    reversed_address = reverse(address)
    return [Lookup(f"{reversed_address}.{each.zone}", Kind.A) for each in lists]


def _zones(lists: Sequence[Dnsbl], outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    return tuple(
        dnsbl.zone
        for dnsbl, outcome in zip(lists, outcomes, strict=True)
        if _is_listed(dnsbl, outcome)
    )


def _is_listed(dnsbl: Dnsbl, outcome: Outcome) -> bool:
    said = _meaning(dnsbl, outcome)
    DNSBL_ANSWERS(said).inc()
    if said is DnsblAnswer.FAILED:
        return dnsbl.on_failure is WithoutAnswer.LISTED
    return said is DnsblAnswer.LISTED


def reverse(address: str) -> str:
    """How a zone names an address: octets or nibbles, the last first (RFC 5782 §2.1, §2.4)."""
    pointer = ip_address(address).reverse_pointer
    return pointer.removesuffix(".in-addr.arpa").removesuffix(".ip6.arpa")


def _meaning(dnsbl: Dnsbl, outcome: Outcome) -> DnsblAnswer:
    if isinstance(outcome, Unavailable):
        return DnsblAnswer.FAILED
    values = [value for value in outcome.values if isinstance(value, str)]
    if any(ip_address(value) in _REFUSALS for value in values):
        return DnsblAnswer.FAILED
    return DnsblAnswer.LISTED if any(map(dnsbl.answers.covers, values)) else DnsblAnswer.UNLISTED
