"""One side of a session: a TCP connection whose octets go to the conductor.

Both sides are alike but for whose octets they are, so this is one class; ``downstream`` and
``upstream`` differ in how they come to be. One write per input, TCP_NODELAY (asyncio and uvloop
set it), pending output bounded: above ``HIGH_WATER`` the conductor stops reading the other side.
"""

import asyncio
import fcntl
import struct
import termios
from collections.abc import Callable
from typing import Final, Protocol, cast

from edge_proxy.links.open_links import OpenLinks
from edge_proxy.links.valve import Valve
from edge_proxy.ports import AcceptedSocket
from smtpgated_contracts.values.mail import Endpoint

V4_MAPPED: Final = "::ffff:"

HIGH_WATER: Final = 65_536
"""Octets waiting to be written before the other side is no longer read."""

LINGER_S: Final = 3.0
LINGER_OCTETS: Final = 4 * 1024 * 1024
"""After the last reply octets may still arrive; closing on them would send a reset, and a
reset makes the peer throw the reply away unread. So they are read away, so long, so much."""

_INT: Final = struct.Struct("i")


class LinkOwner(Protocol):
    """What a link tells, always on the event loop."""

    def began(self, link: "Link") -> None:
        """The connection stands; nothing was received on it yet."""
        ...

    def octets_arrived(self, link: "Link", octets: bytes) -> None: ...

    def ended(self, link: "Link") -> None:
        """The peer sends no more; it may still read."""
        ...

    def lost(self, link: "Link") -> None: ...

    def room_changed(self, link: "Link") -> None:
        """``link.full`` has changed."""
        ...


class Link(asyncio.Protocol):
    __slots__ = (
        "_discarded",
        "_ended",
        "_linger",
        "_open_links",
        "_owner",
        "_owner_of",
        "_transport",
        "_valve",
        "full",
    )

    def __init__(
        self, owner_of: Callable[["Link"], LinkOwner | None], open_links: OpenLinks
    ) -> None:
        """``owner_of`` is asked once, when the connection stands; None: nobody wants it."""
        self._owner_of = owner_of
        self._open_links = open_links
        self._owner: LinkOwner | None = None
        self._transport: asyncio.Transport
        self._valve: Valve
        self._linger: asyncio.TimerHandle | None = None
        self._discarded = 0
        self._ended = False
        self.full = False

    # What the conductor does with it

    def send(self, octets: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(octets)

    def set_reading(self, wanted: bool) -> None:  # noqa: FBT001 - the state it is to follow
        self._valve.set_open(wanted)

    def end(self) -> None:
        """Send no more, after what is pending."""
        if not self._transport.is_closing() and self._transport.can_write_eof():
            self._transport.write_eof()

    def close(self) -> None:
        """Send what is pending; then close, once the peer has or had its time to."""
        self._owner = None
        if self._linger is not None or self._transport.is_closing():
            return
        if self._ended:  # nothing can arrive any more that would reset the connection
            self._transport.close()
        else:
            self._valve.set_open(True)
            self.end()
        self._linger = asyncio.get_running_loop().call_later(LINGER_S, self._transport.abort)

    def abort(self) -> None:
        """Close now. Octets not yet sent are dropped; nobody is told."""
        self._owner = None
        self._transport.abort()

    def hand_over(self, owner: LinkOwner) -> None:
        """From now on ``owner`` is told; it learns that the connection stands."""
        self._owner = owner
        owner.began(self)

    def forsake(self) -> None:
        """Whoever connected it was cancelled: its transport, if it had one, is closed already.

        uvloop closes it without ``connection_lost``, even after ``connection_made``.
        """
        self._owner = None
        self._open_links.remove(self)

    @property
    def source(self) -> Endpoint:
        """The peer's address, IPv4 written as IPv4 on a dual-stack listener too, no zone."""
        address, port = self._transport.get_extra_info("peername")[:2]
        return Endpoint(address.removeprefix(V4_MAPPED).partition("%")[0], port)

    @property
    def socket(self) -> AcceptedSocket:
        return cast("AcceptedSocket", self._transport.get_extra_info("socket"))

    def octets_waiting(self) -> int:
        """Octets the kernel holds that were not delivered yet (FIONREAD)."""
        descriptor = self._transport.get_extra_info("socket").fileno()
        answer = fcntl.ioctl(descriptor, termios.FIONREAD, _INT.pack(0))
        return cast("int", _INT.unpack(answer)[0])

    # What asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._open_links.add(self)
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=HIGH_WATER)
        self._valve = Valve(self._transport)
        if transport.get_extra_info("peername") is None:  # reset before it was accepted
            self._transport.abort()
            return
        self._owner = self._owner_of(self)
        if self._owner is not None:
            self._owner.began(self)

    def data_received(self, data: bytes) -> None:
        if self._owner is not None:
            self._owner.octets_arrived(self, data)
            return
        self._discarded += len(data)
        if self._discarded > LINGER_OCTETS:
            self._transport.abort()

    def eof_received(self) -> bool:
        self._ended = True
        if self._owner is None:
            self._transport.close()
            return False
        self._owner.ended(self)
        return True

    def pause_writing(self) -> None:
        self.full = True
        if self._owner is not None:
            self._owner.room_changed(self)

    def resume_writing(self) -> None:
        self.full = False
        if self._owner is not None:
            self._owner.room_changed(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open_links.remove(self)
        if self._linger is not None:
            self._linger.cancel()
        owner, self._owner = self._owner, None
        if owner is not None:
            owner.lost(self)
