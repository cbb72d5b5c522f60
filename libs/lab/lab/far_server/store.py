"""What the far server has seen: messages it accepted, sessions whatever became of them.

Both are bounded: the oldest are forgotten, the counts go on.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """One message the server answered with 2xx at its end.

    ``content`` is unstuffed, ``wire`` as it travelled, both without the terminator; paths
    are without brackets; ``parameters`` are those of MAIL as sent.
    """

    number: int
    session: int
    client: str
    helo: bytes
    reverse_path: bytes
    parameters: tuple[bytes, ...]
    recipients: tuple[bytes, ...]
    content: bytes
    wire: bytes
    under_tls: bool
    account: str


@dataclass(slots=True)
class SessionRecord:
    """One connection. ``commands`` are lines as they came, at most ``MAX_COMMANDS``.

    ``cut_octets`` counts content that never came to its end (None: no content was cut);
    ``behind_starttls`` is plaintext that came in one slice behind STARTTLS;
    ``told`` are the attributes of XCLIENT, in order, as they came;
    ``impatient`` says that commands were sent in a group though PIPELINING was not offered.
    """

    number: int
    client: str
    commands: list[bytes] = field(default_factory=list)
    under_tls: bool = False
    account: str = ""
    cut_octets: int | None = None
    behind_starttls: bytes = b""
    told: list[bytes] = field(default_factory=list)
    impatient: bool = False
    quit: bool = False
    closed: bool = False

    @property
    def verbs(self) -> tuple[bytes, ...]:
        """The first word of each command, in capitals."""
        return tuple(line.split(b" ")[0].upper() for line in self.commands)


MAX_COMMANDS = 10_000


class Store:
    """Messages and sessions, the newest ``keep`` of each, optionally written to ``folder``."""

    def __init__(self, keep: int, folder: Path | None = None) -> None:
        self.messages: deque[StoredMessage] = deque(maxlen=keep)
        self.sessions: deque[SessionRecord] = deque(maxlen=keep)
        self.message_count = 0
        self.session_count = 0
        self._folder = folder
        self._changed = asyncio.Event()

    def open_session(self, client: str) -> SessionRecord:
        """A record for one more connection."""
        self.session_count += 1
        record = SessionRecord(self.session_count, client)
        self.sessions.append(record)
        self._changed.set()
        return record

    def close_session(self, record: SessionRecord) -> None:
        """The connection is gone."""
        record.closed = True
        self._changed.set()

    def keep(self, message: Callable[[int], StoredMessage]) -> None:
        """Keep the message made for the next number."""
        self.message_count += 1
        stored = message(self.message_count)
        self.messages.append(stored)
        if self._folder is not None:
            _write(stored, self._folder)
        self._changed.set()

    def note_change(self) -> None:
        """Something else has changed that somebody may wait for."""
        self._changed.set()

    async def wait_until(self, is_so: Callable[[], bool]) -> None:
        """Wait for a condition that a change noted here makes true."""
        while not is_so():
            self._changed.clear()
            await self._changed.wait()


def _write(message: StoredMessage, folder: Path) -> None:
    """``N.eml`` holds the content, ``N.json`` the rest; the second comes last and whole."""
    stem = f"{message.number:06d}"
    (folder / f"{stem}.eml").write_bytes(message.content)
    described = {
        "client": message.client,
        "helo": message.helo.decode("utf-8", "backslashreplace"),
        "reverse_path": message.reverse_path.decode("utf-8", "backslashreplace"),
        "recipients": [each.decode("utf-8", "backslashreplace") for each in message.recipients],
        "under_tls": message.under_tls,
        "account": message.account,
    }
    unfinished = folder / f".{stem}.json"
    unfinished.write_text(json.dumps(described) + "\n", encoding="ascii")
    unfinished.rename(folder / f"{stem}.json")
