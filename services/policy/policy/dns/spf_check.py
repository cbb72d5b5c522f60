"""SPF (RFC 7208): whether an address may send for the domain of a MAIL command, or of HELO.

Never raises: what cannot be found out in time is TEMPERROR. ``spf_rules`` says how evaluation
and lookups take turns.
"""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final

from policy.dns.records import Answer, Kind, Lookup
from policy.dns.resolver import Resolver
from policy.dns.spf_rules import Evaluation, Wanted, addresses_of
from policy.metrics import SPF_RESULTS, SPF_STUMBLES
from service_kit.failures import Unavailable
from service_kit.logs import event
from smtpgated_contracts.values.policy import SpfResult

MOST_ROUNDS: Final = 40
"""Evaluations of one check. RFC 7208 §4.6.4 allows eleven names and what MX and PTR add to them."""

_MOST_PATH_OCTETS: Final = 512
"""RFC 5321 §4.5.3.1.3 allows 256."""
_STUMBLES: Final = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError),
    *(RecursionError, TypeError, ValueError),
)
"""What a library of ours raises over a record that nobody foresaw."""
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SpfQuestion:
    """``reverse_path``: without brackets; empty: the null one, and HELO counts (§2.4)."""

    address: str
    helo: bytes
    reverse_path: bytes


class SpfChecker:
    """Asks ``resolver``."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    async def result(self, question: SpfQuestion, deadline: float) -> SpfResult:
        """``deadline``: the loop's clock."""
        result = await self._result(question, deadline)
        SPF_RESULTS(result).inc()
        return result

    async def _result(self, question: SpfQuestion, deadline: float) -> SpfResult:
        try:
            address = ip_address(question.address)
            sender = _sender(question.reverse_path)
        except ValueError:
            # No address, or no domain that could have a record (§4.3).
            return SpfResult.NONE
        helo = _helo(question.helo)
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        kind = Kind.AAAA if address.version == 6 and not mapped else Kind.A  # noqa: PLR2004
        known: dict[Lookup, Answer | Unavailable] = {}
        try:
            for _ in range(MOST_ROUNDS):
                try:
                    result, _, _ = Evaluation(str(address), sender, helo, known).check()
                except Wanted as wanted:
                    await self._find(wanted.lookup, kind, known, deadline)
                else:
                    return SpfResult(result)
        except _STUMBLES as error:
            SPF_STUMBLES().inc()
            event(_LOG, logging.ERROR, "SPF not evaluated", sender=sender, exc_info=error)
        return SpfResult.TEMPERROR

    async def _find(
        self,
        lookup: Lookup,
        kind: Kind,
        known: dict[Lookup, Answer | Unavailable],
        deadline: float,
    ) -> None:
        answer = known[lookup] = await self._answer(lookup, deadline)
        if isinstance(answer, Answer):
            following = dict.fromkeys(addresses_of(lookup, answer, kind)).keys() - known
            known.update(zip(following, await self._answers(following, deadline), strict=True))

    async def _answers(
        self, lookups: Iterable[Lookup], deadline: float
    ) -> list[Answer | Unavailable]:
        return await asyncio.gather(*(self._answer(each, deadline) for each in lookups))

    async def _answer(self, lookup: Lookup, deadline: float) -> Answer | Unavailable:
        try:
            return await self._resolver.find(lookup, deadline)
        except Unavailable as error:
            return error


def _sender(reverse_path: bytes) -> str:
    """As a person reads it, its domain in A-labels (RFC 8616 §4). Raises ValueError."""
    if len(reverse_path) > _MOST_PATH_OCTETS:
        raise ValueError("longer than any path")
    local, at, domain = reverse_path.decode("utf-8", "replace").rpartition("@")
    return f"{local}{at}{_domain(domain.encode())}" if at else domain


def _helo(octets: bytes) -> str:
    """Empty where it is no domain: it matters little beside a sender."""
    try:
        return _domain(octets)
    except ValueError:
        return ""


def _domain(octets: bytes) -> str:
    """In A-labels. Raises ValueError (UnicodeError) for what is no domain."""
    if octets.isascii():
        return octets.decode("ascii")
    return octets.decode("utf-8").encode("idna").decode("ascii")
