"""One question to recursive resolvers: UDP, then TCP where the answer does not fit (RFC 7766).

Every query has an id and a port of its own (RFC 5452); an answer that does not fit its question
is not taken for one, and the true one is waited for. A server that is silent for ``try_s`` or
says that it failed is left for the next one; who answered last is asked first.

Errors: ``Unavailable``: nobody answered, or nobody had anything to say, before the deadline.
"""

import asyncio
from collections.abc import Sequence
from itertools import chain, cycle, islice
from typing import Final

import dns.asyncquery
import dns.exception
import dns.message
import dns.name
import dns.rdatatype
import dns.resolver

from policy.dns.answers import broken, read_answer
from policy.dns.records import Answer, Kind, Lookup
from service_kit.addresses import HostPort
from service_kit.failures import FailureKind, Unavailable, translated

ROUNDS: Final = 2
"""How often each server is asked: a datagram may be lost."""

MOST_OCTETS: Final = 16 * 1024
"""Of one answer over TCP. A zone's TXT records rarely have 8 KiB; reading 16 takes 10 ms or so."""

_UDP_OCTETS: Final = 1232
"""What crosses every network unfragmented (DNS flag day 2020)."""

_PORT: Final = 53
_FOREVER_S: Final = 300.0
NOBODY: Final = Answer((), _FOREVER_S)
"""What a name that cannot be has."""


def system_servers() -> tuple[HostPort, ...]:
    """Those of /etc/resolv.conf; none if it names none."""
    try:
        found = dns.resolver.Resolver()
    except dns.resolver.NoResolverConfiguration:
        return ()
    return tuple(HostPort(str(each), _PORT) for each in found.nameservers)


class NameServers:
    """``servers``: IP addresses. ``try_s``: how long one of them is waited for."""

    def __init__(self, servers: Sequence[HostPort], try_s: float) -> None:
        self._servers = list(servers)
        self._try_s = try_s

    async def ask(self, lookup: Lookup, deadline: float) -> Answer:
        """``deadline``: the loop's clock."""
        name = _wire_name(lookup.name)
        if name is None:
            return NOBODY
        failure = Unavailable("dns", FailureKind.UNREACHABLE, retryable=False, detail="no server")
        for server in islice(cycle(self._servers), ROUNDS * len(self._servers)):
            try:
                answer = await self._ask_one(server, name, lookup.kind, deadline)
            except Unavailable as error:
                failure = error
            else:
                self._prefer(server)
                return answer
            if asyncio.get_running_loop().time() >= deadline:
                break
        raise failure

    async def _ask_one(
        self, server: HostPort, name: dns.name.Name, kind: Kind, deadline: float
    ) -> Answer:
        until = min(deadline, asyncio.get_running_loop().time() + self._try_s)
        query = dns.message.make_query(
            name, dns.rdatatype.from_text(kind), use_edns=0, payload=_UDP_OCTETS
        )
        with translated("dns"):
            async with asyncio.timeout_at(until):
                try:
                    message = await dns.asyncquery.udp(
                        query,
                        server.host,
                        port=server.port,
                        ignore_unexpected=True,
                        ignore_errors=True,
                        raise_on_truncation=True,
                    )
                except dns.message.Truncated:
                    message = await _ask_by_tcp(query, server)
        return read_answer(message, kind)

    def _prefer(self, server: HostPort) -> None:
        at = self._servers.index(server)
        self._servers = list(chain(self._servers[at:], self._servers[:at]))


async def _ask_by_tcp(query: dns.message.Message, server: HostPort) -> dns.message.Message:
    reader, writer = await asyncio.open_connection(server.host, server.port)
    try:
        wire: bytes = query.to_wire(prepend_length=True)
        writer.write(wire)
        size = int.from_bytes(await reader.readexactly(2))
        if size > MOST_OCTETS:
            raise broken(f"an answer of {size} octets")
        octets = await reader.readexactly(size)
    finally:
        writer.transport.abort()
    try:
        message = dns.message.from_wire(octets)
    except (dns.exception.DNSException, ValueError) as error:
        raise broken(f"nonsense in an answer: {error}") from None
    if not query.is_response(message):
        raise broken("an answer to another question")
    return message


def _wire_name(name: str) -> dns.name.Name | None:
    """The octets of ``name`` as they are, no escapes, no IDNA; None: no such name can be."""
    try:
        return dns.name.Name([*(label.encode("ascii") for label in name.split(".")), b""])
    except (UnicodeEncodeError, dns.exception.DNSException):
        return None
