"""Ask the NAT router in front over UDP: the proxy-helper protocol.

The router is who our client seems to be. A datagram may be lost, so it is asked again, with the
same cookie: whichever answer comes first is good. The socket is connected: the kernel lets in
only what comes from the address and port that were asked. Of that, everything that is not the
answer to this question is passed over, so that a forger cannot end a search either.
Bytes: ``proxy_helper_wire``. IPv4 only.
"""

import asyncio
import hmac
import secrets
from dataclasses import dataclass
from typing import cast

from edge_proxy.interception.believed import allowed, believed, identity_of
from edge_proxy.interception.malformed import Malformed
from edge_proxy.interception.proxy_helper_wire import (
    COOKIE_OCTETS,
    Query,
    Reply,
    parse_reply,
    render_query,
)
from edge_proxy.interception.tproxy import local_end
from edge_proxy.ports import Arrived, Found, NoDestination, NotFound
from rulebook.networks import NetworkSet


@dataclass(frozen=True, slots=True)
class Asking:
    """How routers are asked: where, how often, how long each time, with which secret (4 octets).

    ``check_secret``: an answer must carry the secret, too; the old daemon's did not.
    """

    port: int
    attempts: int
    attempt_timeout_s: float
    secret: bytes
    check_secret: bool


class ProxyHelper:
    """``peers``: routers that are asked."""

    def __init__(self, peers: NetworkSet, asking: Asking) -> None:
        self._peers = peers
        self._asking = asking

    async def find(self, arrived: Arrived) -> Found:
        router = allowed(arrived.peer, self._peers)
        local = local_end(arrived.socket)
        if ":" in router.address:
            raise NoDestination(NotFound.UNKNOWN, "the proxy-helper protocol knows IPv4 only")
        cookie = secrets.token_bytes(COOKIE_OCTETS)
        reply = await self._asked(Query(cookie, self._asking.secret, router, local))
        if reply.destination is None:
            raise NoDestination(NotFound.UNKNOWN, "proxy-helper: the router does not know")
        destination = believed(reply.destination, router)
        return Found(router, destination, identity_of(reply.identity))

    async def _asked(self, query: Query) -> Reply:
        asking = self._asking
        try:
            transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: _Conversation(query, check_secret=asking.check_secret),
                local_addr=(query.local.address, 0),
                remote_addr=(query.client.address, asking.port),
            )
        except OSError as error:
            raise _no_answer(error.strerror or str(error)) from None
        try:
            for _ in range(asking.attempts):
                transport.sendto(render_query(query))
                try:
                    async with asyncio.timeout(asking.attempt_timeout_s):
                        return await protocol.reply
                except TimeoutError:
                    protocol.begin_waiting_again()
        finally:
            transport.abort()
        if protocol.passed_over:
            raise NoDestination(NotFound.BAD_ANSWER, f"proxy-helper: {protocol.passed_over}")
        raise _no_answer(protocol.trouble)


class _Conversation(asyncio.DatagramProtocol):
    """Everything the router says in one search; remembers why the last of it was no answer."""

    def __init__(self, query: Query, *, check_secret: bool) -> None:
        self._query = query
        self._check_secret = check_secret
        self.passed_over = ""
        self.trouble = ""
        self.begin_waiting_again()

    def begin_waiting_again(self) -> None:
        self.reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, _addr: tuple[str, int]) -> None:
        try:
            reply = parse_reply(data)
        except Malformed as wrong:
            self.passed_over = str(wrong)
            return
        if not hmac.compare_digest(reply.cookie, self._query.cookie):
            self.passed_over = "not our cookie"
        elif self._check_secret and not hmac.compare_digest(reply.secret, self._query.secret):
            self.passed_over = "not our secret"
        elif not self.reply.done():
            self.reply.set_result(reply)

    def error_received(self, exc: Exception) -> None:
        """ICMP said something; it may pass, or be forged, so it does not end the search."""
        self.trouble = cast("OSError", exc).strerror or str(exc)


def _no_answer(why: str) -> NoDestination:
    return NoDestination(NotFound.NO_ANSWER, f"proxy-helper: {why}" if why else "proxy-helper")
