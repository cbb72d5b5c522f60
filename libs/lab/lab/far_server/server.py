"""Listening: one far server in this process, and the questions a test asks it.

    async with FarServer(FarPlan(at={Moment.RCPT: Say("550 5.1.1 nobody")})) as far:
        ...                                     # somebody talks to far.address
        await far.wait_for_messages(1)
        assert far.messages[0].content == sent

Errors that leave it: StartError when the address cannot be bound; TimeoutError from waiting.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

from lab.certificates import Authority
from lab.far_server.link import FarLink
from lab.far_server.plan import FarPlan
from lab.far_server.store import SessionRecord, Store, StoredMessage
from service_kit.addresses import HostPort
from service_kit.errors import StartError
from service_kit.tasks import Tasks

ANY_PORT: Final = HostPort("127.0.0.1", 0)
PATIENCE_S: Final = 20.0
BACKLOG: Final = 1024


class FarServer:
    """Listens while it is entered; stops with RST on every connection that is left."""

    def __init__(
        self,
        plan: FarPlan = FarPlan(),  # noqa: B008  a frozen value
        listen: HostPort = ANY_PORT,
        folder: Path | None = None,
    ) -> None:
        self._plan: Final = plan
        self._listen: Final = listen
        self._store: Final = Store(plan.keep, folder)
        self._tasks: Final = Tasks()
        self._links: Final = set[FarLink]()
        self._authority: Authority | None = None
        self._server: asyncio.Server | None = None
        self.address = listen

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        try:
            listening = _listening(self._listen, self._plan.receive_buffer_octets)
        except OSError as wrong:
            raise StartError(f"cannot listen on {self._listen}: {wrong.strerror}") from None
        self.address = HostPort(self._listen.host, listening.getsockname()[1])
        self._server = await loop.create_server(self._link, sock=listening, backlog=BACKLOG)
        return self

    async def __aexit__(self, *_exception: object) -> None:
        assert self._server is not None
        self._server.close()
        for link in tuple(self._links):
            link.abort()
        await self._tasks.aclose()
        await self._server.wait_closed()

    @property
    def messages(self) -> tuple[StoredMessage, ...]:
        """What was accepted, oldest first; at most ``plan.keep``."""
        return tuple(self._store.messages)

    @property
    def message_count(self) -> int:
        """How many were accepted since the start."""
        return self._store.message_count

    @property
    def session_count(self) -> int:
        """How many connections there were since the start."""
        return self._store.session_count

    @property
    def sessions(self) -> tuple[SessionRecord, ...]:
        """Every connection, oldest first; at most ``plan.keep``."""
        return tuple(self._store.sessions)

    @property
    def authority(self) -> Authority:
        """Who signed the certificate that STARTTLS shows; for the address and ``localhost``."""
        if self._authority is None:
            self._authority = Authority(self._listen.host, "localhost", self._plan.name)
        return self._authority

    @property
    def held(self) -> int:
        """How many sessions wait for ``release`` just now."""
        return sum(link.waits_for_release for link in self._links)

    def release(self) -> None:
        """End every Hold that has come until now."""
        for link in tuple(self._links):
            link.release()

    async def wait_for_messages(self, count: int, within_s: float = PATIENCE_S) -> None:
        """Until so many messages were accepted since the start."""
        await self.wait_until(lambda: self.message_count >= count, within_s)

    async def wait_for_held(self, count: int = 1, within_s: float = PATIENCE_S) -> None:
        """Until so many sessions have come to a Hold."""
        await self.wait_until(lambda: self.held >= count, within_s)

    async def wait_until(self, is_so: Callable[[], bool], within_s: float = PATIENCE_S) -> None:
        """Until something holds that a session's opening, Hold or end, or a message, makes true."""
        async with asyncio.timeout(within_s):
            await self._store.wait_until(is_so)

    def _link(self) -> FarLink:
        link = FarLink(self._plan, self._store, self._tasks, self._tls, self._links.discard)
        self._links.add(link)
        return link

    def _tls(self) -> ssl.SSLContext:
        return self.authority.server_context


def _listening(address: HostPort, receive_buffer_octets: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if receive_buffer_octets:  # before listen: accepted sockets take it over
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_octets)
        listening.bind((address.host, address.port))
    except OSError:
        listening.close()
        raise
    listening.setblocking(False)  # noqa: FBT003  the socket's own signature
    return listening
