"""One connection of the far server: an asyncio transport under one dialogue.

Adds what a dialogue knows nothing of: the pace of reading, waiting, and TLS.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import Final, cast

from lab.far_server.dialogue import Dialogue
from lab.far_server.plan import FarPlan
from lab.far_server.store import SessionRecord, Store
from lab.far_server.verbs import obey
from service_kit.tasks import Tasks

TLS_PATIENCE_S: Final = 10.0


class FarLink(asyncio.Protocol):
    """Performs what its dialogue wishes. ``forget`` is called once, when it is gone."""

    def __init__(
        self,
        plan: FarPlan,
        store: Store,
        tasks: Tasks,
        tls: Callable[[], ssl.SSLContext],
        forget: Callable[["FarLink"], None],
    ) -> None:
        self._plan: Final = plan
        self._store: Final = store
        self._tasks: Final = tasks
        self._tls: Final = tls
        self._forget: Final = forget
        self._transport: asyncio.Transport
        self._record: SessionRecord
        self._dialogue: Dialogue
        self._timer: asyncio.TimerHandle | None = None
        # Octets can come out of TLS before ``start_tls`` has told us its transport.
        self._early: list[bytes] | None = None
        self.waits_for_release = False

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The client is there."""
        self._transport = cast("asyncio.Transport", transport)
        client = transport.get_extra_info("peername")[0].removeprefix("::ffff:")
        self._record = self._store.open_session(client)
        self._dialogue = Dialogue(self._plan, self._store, self._record, self, obey)
        self._dialogue.open()

    def data_received(self, octets: bytes) -> None:
        """One slice; where the plan has a pace, the next is read when this one is paid for."""
        if self._early is not None:
            self._early.append(octets)
            return
        if self._plan.octets_per_s:
            self._transport.pause_reading()
            self._in(len(octets) / self._plan.octets_per_s, self._read_on)
        self._dialogue.octets_received(octets)

    def connection_lost(self, _error: Exception | None) -> None:
        """Either side has closed."""
        if self._timer is not None:
            self._timer.cancel()
        self.waits_for_release = False
        self._dialogue.lost()
        self._forget(self)

    # What the dialogue wishes.

    def write(self, octets: bytes) -> None:
        """Send; replies are small and a client that never reads has only few of them."""
        self._transport.write(octets)

    def close(self) -> None:
        """FIN behind what was written."""
        self._transport.close()

    def reset(self) -> None:
        """RST."""
        self._transport.abort()

    def wait(self, seconds: float | None) -> None:
        """Read nothing until then, or until ``release``."""
        self._transport.pause_reading()
        if seconds is None:
            self.waits_for_release = True
            self._store.note_change()
        else:
            self._in(seconds, self._resume)

    def start_tls(self) -> None:
        """Shake hands in a task of its own; nothing is read in the clear from here on."""
        self._transport.pause_reading()
        self._early = []
        self._tasks.spawn(self._shake_hands(), name="far server TLS")

    # What the server calls.

    def release(self) -> None:
        """The wait without an end is over."""
        if self.waits_for_release:
            self.waits_for_release = False
            self._resume()

    def abort(self) -> None:
        """The server stops."""
        self._transport.abort()

    async def _shake_hands(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            transport = await loop.start_tls(
                self._transport,
                self,
                self._tls(),
                server_side=True,
                ssl_handshake_timeout=TLS_PATIENCE_S,
            )
        except (OSError, ssl.SSLError):
            transport = None
        if transport is None:
            self.connection_lost(None)  # a handshake that fails is told to nobody else
        else:
            self._speak_tls(transport)

    def _speak_tls(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._record.under_tls = True
        early, self._early = self._early or [], None
        for octets in early:
            self.data_received(octets)

    def _resume(self) -> None:
        self._read_on()
        self._dialogue.resume()

    def _read_on(self) -> None:
        if not (self.waits_for_release or self._transport.is_closing()):
            self._transport.resume_reading()

    def _in(self, seconds: float, what: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, what)
