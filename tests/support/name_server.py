"""A recursive resolver as far as a stub can tell: UDP and TCP on one port, records by name.

A name without records does not exist. CNAMEs are followed as a resolver does; answers that do
not fit into the datagram that the query allows are truncated. What it was asked is in ``asked``;
``odd`` says by name what it does instead of answering.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Final, Self, cast

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from service_kit.addresses import HostPort

Odd = Callable[[dns.message.Message, bool], Sequence[bytes]]
"""(query, whether it came by TCP) -> the messages sent."""

LONGEST_CHAIN: Final = 16
LARGEST_OCTETS: Final = 65_535
_TTL_S: Final = 60
_TRIES: Final = 20


def rdata(kind: str, text: str) -> dns.rdata.Rdata:
    """``text`` as a zone file writes it."""
    return dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(kind), text)


def failing(query: dns.message.Message, _by_tcp: bool) -> list[bytes]:
    """SERVFAIL."""
    reply = dns.message.make_response(query)
    reply.set_rcode(dns.rcode.SERVFAIL)
    return [reply.to_wire()]


def silent(_query: dns.message.Message, _by_tcp: bool) -> list[bytes]:
    return []


class NameServer:
    """``records``: name in lower case -> (kind, text) as a zone file writes them."""

    def __init__(self, records: Mapping[str, Sequence[tuple[str, str]]] | None = None) -> None:
        self.records: dict[str, list[dns.rdata.Rdata]] = {
            name: [rdata(*each) for each in found] for name, found in (records or {}).items()
        }
        self.odd: dict[str, Odd] = {}
        self.ttl_s = _TTL_S
        self.most_by_udp = LARGEST_OCTETS
        self.asked: list[tuple[str, str]] = []
        self._port = 0

    @property
    def address(self) -> HostPort:
        return HostPort("127.0.0.1", self._port)

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for _ in range(_TRIES):
            self._tcp = await asyncio.start_server(self._serve_tcp, "127.0.0.1", 0)
            self._port = self._tcp.sockets[0].getsockname()[1]
            try:
                self._udp, _ = await loop.create_datagram_endpoint(
                    lambda: _Datagrams(self._answers), ("127.0.0.1", self._port)
                )
            except OSError:
                self._tcp.close()  # somebody else's datagrams: another port
            else:
                return self
        raise OSError("no port that is free for both")

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._udp.close()
        self._tcp.close()
        await self._tcp.wait_closed()

    def _answers(self, wire: bytes, by_tcp: bool) -> Sequence[bytes]:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = _text(question.name)
        self.asked.append((name, dns.rdatatype.to_text(question.rdtype)))
        if name in self.odd:
            return self.odd[name](query, by_tcp)
        reply = self.reply(query)
        wire = reply.to_wire(max_size=LARGEST_OCTETS)
        if not by_tcp and len(wire) > min(self.most_by_udp, max(512, query.payload)):
            reply.flags |= dns.flags.TC
            reply.answer.clear()
            wire = reply.to_wire(max_size=LARGEST_OCTETS)
        return [wire]

    def reply(self, query: dns.message.Message) -> dns.message.Message:
        """The true answer."""
        reply = dns.message.make_response(query, recursion_available=True)
        name, kind = query.question[0].name, query.question[0].rdtype
        for _ in range(LONGEST_CHAIN):
            found = self.records.get(_text(name))
            if found is None:
                reply.set_rcode(dns.rcode.NXDOMAIN)
                return reply
            values = [each for each in found if each.rdtype == kind]
            alias = [each for each in found if each.rdtype == dns.rdatatype.CNAME]
            for some in (values, alias):
                if some:
                    reply.answer.append(dns.rrset.from_rdata_list(name, self.ttl_s, some))
                    break
            if values or not alias:
                return reply
            name = alias[0].target  # type: ignore[attr-defined]  # of a CNAME
        reply.set_rcode(dns.rcode.SERVFAIL)
        return reply

    async def _serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            size = int.from_bytes(await reader.readexactly(2))
            for wire in self._answers(await reader.readexactly(size), True):
                writer.write(len(wire).to_bytes(2) + wire)
            await writer.drain()
            await reader.read()  # until the asker has what it wants
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def _text(name: dns.name.Name) -> str:
    return b".".join(name.labels[:-1]).decode("ascii").lower()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, answers: Callable[[bytes, bool], Sequence[bytes]]) -> None:
        self._answers = answers

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, octets: bytes, address: object) -> None:
        for wire in self._answers(octets, False):
            self._transport.sendto(wire, address)  # type: ignore[arg-type]  # as it came
