"""SPF (RFC 7208): whether an address may send for the domain of a MAIL command, or of HELO.

Never raises: what cannot be found out in time is TEMPERROR. ``spf_rules`` says how evaluation
and lookups take turns.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final

from policy.dns.cache import Outcome
from policy.dns.records import Kind, Lookup
from policy.dns.resolver import Resolver
from policy.dns.spf_rules import (
    AT_ONCE_OCTETS,
    MOST_OCTETS,
    Evaluation,
    Known,
    Postponed,
    Wanted,
    addresses_of,
)
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

    def known(self, question: SpfQuestion) -> SpfResult | None:
        """``result``, if nobody has to be asked for it and it is found quickly; else None."""
        try:
            result = _evaluated(question, self._resolver.known, AT_ONCE_OCTETS)
        except (Wanted, Postponed):
            return None
        SPF_RESULTS(result).inc()
        return result

    async def result(self, question: SpfQuestion, deadline: float) -> SpfResult:
        """``deadline``: the loop's clock."""
        known: dict[Lookup, Outcome] = {}
        result = SpfResult.TEMPERROR
        for _ in range(MOST_ROUNDS):
            try:
                result = _evaluated(question, known.get, MOST_OCTETS)
                break
            except Wanted as wanted:
                await self._find([wanted.lookup], known, deadline)
                await self._find(_following(question, wanted.lookup, known), known, deadline)
        SPF_RESULTS(result).inc()
        return result

    async def _find(
        self, lookups: Sequence[Lookup], known: dict[Lookup, Outcome], deadline: float
    ) -> None:
        """All at once."""
        asking = (self._resolver.find(each, deadline) for each in lookups)
        known.update(zip(lookups, await asyncio.gather(*asking), strict=True))


def _evaluated(question: SpfQuestion, known: Known, octets: int) -> SpfResult:
    """Raises Wanted, or Postponed beyond ``octets`` of records."""
    try:
        address = str(ip_address(question.address))
        sender = _sender(question.reverse_path)
    except ValueError:
        # No address, or no domain that could have a record (§4.3).
        return SpfResult.NONE
    try:
        result, _, _ = Evaluation(address, sender, _helo(question.helo), known, octets).check()
        return SpfResult(result)
    except _STUMBLES as error:
        SPF_STUMBLES().inc()
        event(_LOG, logging.ERROR, "SPF not evaluated", sender=sender, exc_info=error)
        return SpfResult.TEMPERROR


def _following(
    question: SpfQuestion, lookup: Lookup, known: Mapping[Lookup, Outcome]
) -> list[Lookup]:
    """What will be wanted after ``lookup``: known now, so that it can be asked for at once."""
    answer = known[lookup]
    if isinstance(answer, Unavailable):
        return []
    address = ip_address(question.address)
    is_v6 = isinstance(address, IPv6Address) and address.ipv4_mapped is None
    kind = Kind.AAAA if is_v6 else Kind.A
    return [each for each in dict.fromkeys(addresses_of(lookup, answer, kind)) if each not in known]


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
