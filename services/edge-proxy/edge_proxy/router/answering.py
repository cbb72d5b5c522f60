"""One proxy-helper question in, its answer out: where was this connection going, and from whom?

The router rewrote the connection; the asker knows it as it arrived, which is conntrack's reply
turned round. Only listed askers are answered, only about connections to themselves, only so
often, only with the secret if there is one. Everybody else is left without an answer: a forged
question must not make the router send datagrams.

Where the router hid the client behind its own address, the client's is told as the identity.
Errors: none; what became of a question is a value.
"""

import hmac
from dataclasses import dataclass
from typing import Final

from edge_proxy.interception.conntrack import NotAsked
from edge_proxy.interception.conntrack_wire import Flow
from edge_proxy.interception.malformed import Malformed
from edge_proxy.interception.pre_nat import ConnectionTable
from edge_proxy.interception.proxy_helper_wire import Query, Reply, parse_query, render_reply
from edge_proxy.metrics import Answered
from rulebook.networks import NetworkSet

_BURST_S: Final = 1.0
"""Seconds' worth of questions that may come at once."""


class Pace:
    """So many a second, as many at once."""

    def __init__(self, per_second: float) -> None:
        self._per_second: Final = per_second
        self._left = per_second * _BURST_S
        self._counted_at_s: float | None = None

    def allows(self, now_s: float) -> bool:
        """Count one more at this moment of a monotonic clock."""
        since_s = now_s - (self._counted_at_s if self._counted_at_s is not None else now_s)
        self._counted_at_s = now_s
        most = self._per_second * _BURST_S
        self._left = min(most, self._left + since_s * self._per_second)
        if self._left < 1:
            return False
        self._left -= 1
        return True


@dataclass(frozen=True, slots=True)
class Answering:
    """``secret``: 4 octets; None: whatever is said in its place is good."""

    askers: NetworkSet
    secret: bytes | None
    table: ConnectionTable
    pace: Pace

    def answer(self, asker: str, datagram: bytes, now_s: float) -> tuple[Answered, bytes]:
        """What became of it, and the octets to send back, if any."""
        if not self.askers.covers(asker):
            return Answered.NOT_ALLOWED, b""
        if not self.pace.allows(now_s):
            return Answered.TOO_MANY, b""
        try:
            query = parse_query(datagram)
        except Malformed:
            return Answered.MALFORMED, b""
        if (refused := self._refused(asker, query)) is not None:
            return refused, b""
        return self._looked_up(query)

    def _refused(self, asker: str, query: Query) -> Answered | None:
        if self.secret is not None and not hmac.compare_digest(query.secret, self.secret):
            return Answered.WRONG_SECRET
        return None if query.local.address == asker else Answered.NOT_ALLOWED

    def _looked_up(self, query: Query) -> tuple[Answered, bytes]:
        try:
            original = self.table.original_of(Flow(query.local, query.client))
        except NotAsked:
            return Answered.NOT_ASKED, b""
        if original is None:
            return Answered.NOT_FOUND, render_reply(query, Reply(query.cookie, query.secret, None))
        hidden = original.source != query.client
        identity = original.source.address.encode("ascii") if hidden else b""
        reply = Reply(query.cookie, query.secret, original.destination, identity)
        return Answered.FOUND, render_reply(query, reply)
