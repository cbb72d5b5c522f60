"""Octets passed on unread between the two links of a session, counted, and kept within limits.

What follows the server's 220 to STARTTLS is TLS (RFC 3207 §4); all that is looked at are its
record headers and the two hellos (``smtp.tls_records``). Ends are passed on each way, a slow
reader stops the other side's reading (the conductor's ``_settle``), and a tunnel that breaks a
limit or is not TLS is cut: ``cut`` is called, once, and nothing goes through any more.
See docs/tunnels.md.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from edge_proxy.links.link import Link
from edge_proxy.relay.facts import CloseCause
from edge_proxy.smtp.errors import Violation
from edge_proxy.smtp.tls_hello import TlsVersion
from edge_proxy.smtp.tls_records import CLIENT, SERVER, RecordReader
from edge_proxy.smtp.tls_turns import Turns

_SIDES: Final = 2


@dataclass(frozen=True, slots=True)
class TunnelLimits:
    """``duration_s`` and ``octets`` (both ways together) 0: none.

    ``require_tls``: cut where octets cannot be TLS; otherwise they are passed on uncounted.
    """

    require_tls: bool = True
    duration_s: float = 0.0
    octets: int = 0


@dataclass(frozen=True, slots=True)
class TunnelRecord:
    """What can be said of a tunnel. ``messages`` is an estimate, see ``smtp.tls_turns``.

    ``up``: from the client to the server. ``is_tls`` False: there were octets that cannot be TLS;
    records and messages are those until then.
    """

    octets_up: int
    octets_down: int
    records_up: int
    records_down: int
    messages: int
    server_name: str
    version: TlsVersion
    is_tls: bool
    spent_s: float


class Tunnel:
    """From ``BecomeTunnel`` to the session's end, when ``stop`` is due."""

    __slots__ = (
        "_began_at_s",
        "_cut",
        "_downstream",
        "_ended",
        "_from_client",
        "_from_server",
        "_is_cut",
        "_is_tls",
        "_limits",
        "_timer",
        "_turns",
        "_upstream",
        "octets_down",
        "octets_up",
    )

    def __init__(
        self,
        downstream: Link,
        upstream: Link,
        limits: TunnelLimits,
        cut: Callable[[CloseCause, str], None],
    ) -> None:
        self._downstream = downstream
        self._upstream = upstream
        self._limits = limits
        self._cut = cut
        self._is_cut = False
        self._is_tls = True
        self._from_client = RecordReader(CLIENT)
        self._from_server = RecordReader(SERVER)
        self._turns = Turns()
        self._ended: list[CloseCause] = []
        self.octets_up = 0
        self.octets_down = 0
        loop = asyncio.get_running_loop()
        self._began_at_s = loop.time()
        self._timer = (
            loop.call_later(limits.duration_s, self._end_by, CloseCause.TUNNEL_DURATION, "")
            if limits.duration_s
            else None
        )

    def octets_arrived(self, link: Link, octets: bytes) -> None:
        if self._is_cut:
            return
        if link is self._downstream:
            self.octets_up += len(octets)
            reader, said, other = self._from_client, self._turns.client_said, self._upstream
        else:
            self.octets_down += len(octets)
            reader, said, other = self._from_server, self._turns.server_said, self._downstream
        if self._is_tls:
            try:
                if announced := reader.read(octets):
                    said(announced)
            except Violation:
                self._is_tls = False
        if not self._is_tls and self._limits.require_tls:
            by = "client" if link is self._downstream else "server"
            self._end_by(CloseCause.NOT_TLS, f"the {by} does not speak TLS")
        elif self._limits.octets and self.progress > self._limits.octets:
            self._end_by(CloseCause.TUNNEL_OCTETS, "")
        else:
            other.send(octets)

    def ended(self, link: Link) -> None:
        from_client = link is self._downstream
        (self._upstream if from_client else self._downstream).end()
        by = CloseCause.CLIENT if from_client else CloseCause.SERVER
        if by not in self._ended:
            self._ended.append(by)

    def stop(self) -> TunnelRecord:
        """The session is over, no limit is watched any more: what it was."""
        if self._timer is not None:
            self._timer.cancel()
        return TunnelRecord(
            octets_up=self.octets_up,
            octets_down=self.octets_down,
            records_up=self._from_client.records,
            records_down=self._from_server.records,
            messages=self.messages,
            server_name=self._from_client.told,
            version=TlsVersion(self._from_server.told or TlsVersion.UNSEEN),
            is_tls=self._is_tls,
            spent_s=asyncio.get_running_loop().time() - self._began_at_s,
        )

    @property
    def ended_by(self) -> CloseCause | None:
        """Who ended first, once neither side sends any more."""
        return self._ended[0] if len(self._ended) == _SIDES else None

    @property
    def progress(self) -> int:
        """Octets of both ways."""
        return self.octets_up + self.octets_down

    @property
    def messages(self) -> int:
        """So many until now, estimated."""
        return self._turns.messages

    def _end_by(self, cause: CloseCause, detail: str) -> None:
        self._is_cut = True
        self._cut(cause, detail)
