"""The far server's conversation without a socket: octets in; octets and wishes out.

A reader takes from the inbox what it understands, a verb answers through ``meet``, which is
where the plan's twists bite. All replies to one slice leave in one write.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from lab.far_server.content import ChunkReader, Content, DataReader
from lab.far_server.plan import (
    Close,
    Delay,
    FarPlan,
    Hold,
    Moment,
    Normal,
    Raw,
    Say,
    Silence,
    Twists,
)
from lab.far_server.store import MAX_COMMANDS, SessionRecord, Store, StoredMessage

MAX_LINE_OCTETS: Final = 12_288 + 2  # RFC 4954 §4: the longest line of AUTH

Effect = Callable[[], None]


class Line(Protocol):
    """What a dialogue asks of the transport under it."""

    def write(self, octets: bytes) -> None:
        """Send these octets."""

    def close(self) -> None:
        """Send what was written, then close."""

    def reset(self) -> None:
        """Close with RST, whatever was written."""

    def start_tls(self) -> None:
        """What was written leaves in the clear; everything behind it is TLS."""

    def wait(self, seconds: float | None) -> None:
        """Stop reading; call ``Dialogue.resume`` then, or (None) when somebody says so."""


@dataclass(slots=True)
class Transaction:
    """MAIL .. end of content; ``chunks`` are BDAT's, so far."""

    reverse_path: bytes
    parameters: tuple[bytes, ...]
    recipients: list[bytes] = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)


class Dialogue:
    """One session. ``verbs.COMMANDS`` hold what each command does to it."""

    def __init__(
        self,
        plan: FarPlan,
        store: Store,
        record: SessionRecord,
        line: Line,
        obey: "Callable[[Dialogue, bytes], None]",
    ) -> None:
        self.plan: Final = plan
        self.record: Final = record
        self.line: Final = line
        self.helo = b""
        self.transaction: Transaction | None = None
        self._store: Final = store
        self._obey: Final = obey
        self._twists: Final = Twists(plan)
        self._inbox = b""
        self._outbox: list[bytes] = []
        self._reader: Callable[[], bool] = self._read_command
        self._after_wait: Effect | None = None
        self._data = DataReader(plan.limit_octets)
        self._cut_after: int | None = None
        self._ended = False

    # What the link calls.

    def open(self) -> None:
        """The connection is there: greet."""
        self.meet(Moment.GREETING, f"220 {self.plan.name} ESMTP far server")
        self._flush()

    def octets_received(self, octets: bytes) -> None:
        """One slice from the client."""
        self._inbox += octets
        self._run()

    def resume(self) -> None:
        """The wait asked for with ``Line.wait`` is over."""
        if self._after_wait is not None:
            effect, self._after_wait = self._after_wait, None
            effect()
        self._run()

    def lost(self) -> None:
        """The connection is gone, from either side."""
        self._ended = True
        if self._reader == self._read_content:
            self.record.cut_octets = self._data.size_octets
        elif self.transaction is not None and self.transaction.chunks:
            self.record.cut_octets = sum(map(len, self.transaction.chunks))
        self._store.close_session(self.record)

    # What verbs call.

    def say(self, reply: str) -> None:
        """Queue a reply; LF separates its lines."""
        self._outbox.append(reply.replace("\n", "\r\n").encode() + b"\r\n")

    def meet(self, moment: Moment, reply: str, effect: Effect = lambda: None) -> None:
        """Answer at ``moment`` as the plan says; ``effect`` follows a positive reply."""
        match self._twists.next(moment):
            case Normal():
                self._answer(reply, effect)
            case Say(other):
                self._answer(other, effect)
            case Raw(octets):
                self._outbox.append(octets)
                effect()
            case Close(last_words, reset, after_octets) if moment is Moment.CONTENT:
                self._cut_after = after_octets
            case Close(last_words, reset, _):
                self._end(last_words, reset=reset)
            case Silence():
                pass
            case Delay(seconds):
                self._wait(lambda: self._answer(reply, effect), seconds)
            case Hold():
                self._wait(lambda: self._answer(reply, effect), None)

    def close(self, last_words: str = "") -> None:
        """Say the last words and hang up."""
        self._end(last_words, reset=False)

    def read_content(self) -> None:
        """What follows is content (DATA)."""
        self._data = DataReader(self.plan.limit_octets)
        self._reader = self._read_content
        self.meet(Moment.CONTENT, "")

    def read_chunk(self, size_octets: int, then: Callable[[bytes], None]) -> None:
        """What follows is ``size_octets`` octets (BDAT), then ``then`` gets them."""
        reader = ChunkReader(size_octets)

        def read() -> bool:
            done = reader.read(self._inbox)
            self._inbox = b""
            if done is None:
                return False
            chunk, self._inbox = done
            self._reader = self._read_command
            then(chunk)
            return True

        if size_octets:
            self._reader = read
        else:
            then(b"")

    def start_tls(self) -> None:
        """Everything said so far leaves in the clear, then TLS begins."""
        self._flush()
        self.line.start_tls()

    def read_line(self, then: Callable[[bytes], None]) -> None:
        """The next line is no command (AUTH) and goes to ``then``."""

        def read() -> bool:
            line = self._take_line()
            if line is None:
                return False
            self._reader = self._read_command
            then(line)
            return True

        self._reader = read

    def take_inbox(self) -> bytes:
        """Everything received and not yet read; it will not be read by anyone else."""
        taken, self._inbox = self._inbox, b""
        return taken

    def finish(self, content: Content) -> None:
        """The end of content is here: answer, and keep the message if that is positive."""
        transaction, self.transaction = self.transaction, None
        assert transaction is not None

        def keep() -> None:
            self._store.keep(lambda number: self._stored(number, transaction, content))

        self.meet(Moment.END, "250 2.0.0 kept", keep)

    # Reading.

    def _run(self) -> None:
        while not self._ended and self._after_wait is None and self._inbox and self._reader():
            pass
        self._flush()

    def _read_command(self) -> bool:
        line = self._take_line()
        if line is None:
            return False
        if len(self.record.commands) < MAX_COMMANDS:
            self.record.commands.append(line)
        if b"\r" in line or b"\n" in line or b"\0" in line:
            self.say("500 5.5.2 CR, LF or NUL within a command")
        else:
            if self._inbox and not self._may_follow(line):
                self.record.impatient = True
            self._obey(self, line)
        return True

    def _may_follow(self, line: bytes) -> bool:
        """RFC 2920 §3.1: whether more may stand behind ``line`` in one group."""
        return self.plan.offers("PIPELINING") and line[:4].upper() in _PIPELINED

    def _read_content(self) -> bool:
        done = self._data.read(self._inbox)
        self._inbox = b""
        if self._cut_after is not None and self._data.size_octets >= self._cut_after:
            self._end("", reset=True)
            return False
        if done is None:
            return False
        content, self._inbox = done
        self._reader = self._read_command
        if self._data.too_large:
            self.transaction = None
            self.say("552 5.3.4 larger than SIZE allows")
        else:
            self.finish(content)
        return True

    def _take_line(self) -> bytes | None:
        line, end, rest = self._inbox.partition(b"\r\n")
        if len(line) > MAX_LINE_OCTETS:
            self.close("500 5.5.2 line too long")
            return None
        if not end:
            return None
        self._inbox = rest
        return line

    # Answering.

    def _answer(self, reply: str, effect: Effect) -> None:
        if reply:
            self.say(reply)
        if not reply or reply[0] in "23":
            effect()

    def _wait(self, effect: Effect, seconds: float | None) -> None:
        self._after_wait = effect
        self._flush()
        self.line.wait(seconds)

    def _end(self, last_words: str, *, reset: bool) -> None:
        if last_words:
            self.say(last_words)
        self._flush()
        self._ended = True
        if reset:
            self.line.reset()
        else:
            self.line.close()

    def _flush(self) -> None:
        if self._outbox and not self._ended:
            self.line.write(b"".join(self._outbox))
        self._outbox.clear()

    def _stored(self, number: int, transaction: Transaction, content: Content) -> StoredMessage:
        return StoredMessage(
            number=number,
            session=self.record.number,
            client=self.record.client,
            helo=self.helo,
            reverse_path=transaction.reverse_path,
            parameters=transaction.parameters,
            recipients=tuple(transaction.recipients),
            content=content.octets,
            wire=content.wire,
            under_tls=self.record.under_tls,
            account=self.record.account,
        )


_PIPELINED: Final = frozenset((b"RSET", b"MAIL", b"RCPT", b"BDAT", b"SEND", b"SOML", b"SAML"))
