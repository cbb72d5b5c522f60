"""The far server's conversation without a socket: octets in; octets and wishes out.

What the next octets are is the current reader's to say: a command, a line of AUTH, content, a
chunk. Each takes from the inbox what it understands.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from lab.far_server.content import ChunkReader, Content, DataReader
from lab.far_server.plan import FarPlan, Moment
from lab.far_server.store import MAX_COMMANDS, SessionRecord, Store, StoredMessage
from lab.far_server.voice import Effect, Line, Voice

MAX_LINE_OCTETS: Final = 12_288 + 2  # RFC 4954 §4: the longest line of AUTH

# RFC 2920 §3.1: behind all others a client has to wait for the reply.
_PIPELINED: Final = frozenset((b"RSET", b"MAIL", b"RCPT", b"BDAT", b"SEND", b"SOML", b"SAML"))


@dataclass(slots=True)
class Transaction:
    """MAIL .. end of content; ``chunks`` are BDAT's, so far."""

    reverse_path: bytes
    parameters: tuple[bytes, ...]
    recipients: list[bytes] = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)


class Dialogue:
    """One session. ``obey`` says what a command line does to it (see ``verbs``)."""

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
        self.helo = b""
        self.transaction: Transaction | None = None
        self._store: Final = store
        self._line: Final = line
        self._obey: Final = obey
        self._voice: Final = Voice(plan, line)
        self._inbox = b""
        self._reader: Callable[[], bool] = self._read_command
        self._content: DataReader | None = None

    # What the link calls.

    def open(self) -> None:
        """The connection is there: greet."""
        self.meet(Moment.GREETING, f"220 {self.plan.name} ESMTP far server")
        self._voice.flush()

    def octets_received(self, octets: bytes) -> None:
        """One slice from the client."""
        self._inbox += octets
        self._run()

    def resume(self) -> None:
        """The wait asked for with ``Line.wait`` is over."""
        self._voice.resume()
        self._run()

    def lost(self) -> None:
        """The connection is gone, from either side."""
        self._voice.ended = True
        if self._content is not None:
            self.record.cut_octets = self._content.size_octets
        elif self.transaction is not None and self.transaction.chunks:
            self.record.cut_octets = sum(map(len, self.transaction.chunks))
        self._store.close_session(self.record)

    # What verbs call.

    def say(self, reply: str) -> None:
        """Reply, whatever the plan says."""
        self._voice.say(reply)

    def meet(self, moment: Moment, reply: str, effect: Effect = lambda: None) -> None:
        """Reply as the plan says; ``effect`` follows a positive reply."""
        self._voice.meet(moment, reply, effect)

    def close(self, last_words: str = "") -> None:
        """Say the last words and hang up."""
        self._voice.end(last_words)

    def start_tls(self) -> None:
        """Everything said so far leaves in the clear, then TLS begins."""
        self._voice.flush()
        self._line.start_tls()

    def take_inbox(self) -> bytes:
        """Everything received and not yet read; it will not be read by anyone else."""
        taken, self._inbox = self._inbox, b""
        return taken

    def read_content(self) -> None:
        """What follows is content (DATA)."""
        content = self._content = DataReader(self.plan.limit_octets)
        self._reader = lambda: self._read_content(content)
        self.meet(Moment.CONTENT, "")

    def read_chunk(self, size_octets: int, then: Callable[[bytes], None]) -> None:
        """What follows is ``size_octets`` octets (BDAT), which ``then`` gets."""
        reader = ChunkReader(size_octets)

        def read() -> bool:
            done = reader.read(self.take_inbox())
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

    def finish(self, content: Content) -> None:
        """The end of content is here: answer, and keep the message if that is positive."""
        transaction, self.transaction = self.transaction, None
        assert transaction is not None

        def keep() -> None:
            self._store.keep(lambda number: self._stored(number, transaction, content))

        self.meet(Moment.END, "250 2.0.0 kept", keep)

    # Reading.

    def _run(self) -> None:
        voice = self._voice
        while self._inbox and not voice.ended and not voice.waits and self._reader():
            pass
        voice.flush()

    def _read_command(self) -> bool:
        line = self._take_line()
        if line is None:
            return False
        if len(self.record.commands) < MAX_COMMANDS:
            self.record.commands.append(line)
        if b"\r" in line or b"\n" in line or b"\0" in line:
            self.say("500 5.5.2 CR, LF or NUL within a command")
        else:
            if self._inbox and not self._may_be_followed(line):
                self.record.impatient = True
            self._obey(self, line)
        return True

    def _may_be_followed(self, line: bytes) -> bool:
        return self.plan.offers("PIPELINING") and line[:4].upper() in _PIPELINED

    def _read_content(self, reader: DataReader) -> bool:
        done = reader.read(self.take_inbox())
        cut_at = self._voice.cut_content_at
        if cut_at is not None and reader.size_octets >= cut_at:
            self._voice.end(reset=True)
            return False
        if done is None:
            return False
        content, self._inbox = done
        self._content = None
        self._reader = self._read_command
        if reader.too_large:
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
