"""``edge-proxy proxy-helper``: for a Linux router whose edge, or old smtp-gated, is elsewhere.

One UDP socket. Needs CAP_NET_ADMIN where the NAT is done, to ask conntrack, and to be allowed
to bind its port (114 by custom: CAP_NET_BIND_SERVICE, or ``net.ipv4.ip_unprivileged_port_start``).

An answer goes out from the address that was asked (IP_PKTINFO): the asker believes no other.
Errors: ``StartError``.
"""

import asyncio
import contextlib
import logging
import socket
from typing import Final

from edge_proxy import metrics
from edge_proxy.interception.proxy_helper_wire import DATAGRAM_OCTETS
from edge_proxy.metrics import Answered
from edge_proxy.router.answering import Answering
from service_kit.addresses import HostPort
from service_kit.errors import StartError
from service_kit.health import Readiness
from service_kit.lifecycle import Lifecycle
from service_kit.logs import event
from service_kit.metrics import serve_http

_LOG: Final = logging.getLogger(__name__)
_IP_PKTINFO: Final = 8  # linux/in.h; not named in CPython's socket module
_ROOM_FOR_PKTINFO: Final = socket.CMSG_SPACE(12)
_MOST_A_TURN: Final = 64
_BETWEEN_LINES_S: Final = 60.0
"""A line in the log for each kind of refusal, no more often."""


async def serve(listen: HostPort, answering: Answering, status: HostPort | None) -> None:
    """Until SIGTERM. ``status``: where /metrics is served."""
    lifecycle = Lifecycle()
    with _bound(listen) as listening:
        page = await serve_http(status, Readiness()) if status is not None else None
        daemon = _Daemon(listening, answering)
        loop = asyncio.get_running_loop()
        loop.add_reader(listening, daemon.readable)
        address = HostPort(*listening.getsockname())
        event(_LOG, logging.INFO, "listening", at=[str(address)])
        await lifecycle.wait_drain()
        loop.remove_reader(listening)
        if page is not None:
            await page.aclose()
    lifecycle.close()


class _Daemon:
    def __init__(self, listening: socket.socket, answering: Answering) -> None:
        self._socket = listening
        self._answering = answering
        self._said_at_s: dict[Answered, float] = {}

    def readable(self) -> None:
        """Some of what has come; the loop calls again while there is more."""
        for _ in range(_MOST_A_TURN):
            try:
                datagram, notes, _, asker = self._socket.recvmsg(
                    DATAGRAM_OCTETS + 1, _ROOM_FOR_PKTINFO
                )
            except OSError:  # nothing more, or an ICMP error of an earlier answer
                return
            self._answer(asker, datagram, notes)

    def _answer(
        self, asker: tuple[str, int], datagram: bytes, notes: list[tuple[int, int, bytes]]
    ) -> None:
        now_s = asyncio.get_running_loop().time()
        answered, octets = self._answering.answer(asker[0], datagram, now_s)
        metrics.PROXY_HELPER_QUESTIONS(answered).inc()
        if octets:
            with contextlib.suppress(OSError):  # lost, as datagrams may be: it asks again
                self._socket.sendmsg([octets], notes, 0, asker)
        if answered is not Answered.FOUND:
            self._say(answered, asker[0], now_s)

    def _say(self, answered: Answered, asker: str, now_s: float) -> None:
        if now_s - self._said_at_s.get(answered, -_BETWEEN_LINES_S) < _BETWEEN_LINES_S:
            return
        self._said_at_s[answered] = now_s
        event(_LOG, logging.WARNING, "question", asker=asker, answered=answered.value)


def _bound(listen: HostPort) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        listening.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        listening.bind((listen.host, listen.port))
        listening.setblocking(False)  # noqa: FBT003 - socket's own signature
    except OSError as error:
        listening.close()
        raise StartError(f"cannot listen on {listen}: {error.strerror or error}") from None
    return listening
