"""Replies owed downstream, in order: the piece that makes pipelining right (RFC 2920 §3.1).

An entry is something that upstream still owes (``Awaited``) or an answer of our own. Upstream's
replies settle the first Awaited; own answers leave as soon as nothing upstream owes is before
them. So an answer of ours is never written past a reply that the server has yet to give.
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum

from edge_proxy.relay.transaction import Transaction
from smtpgated_contracts.values.scan import EngineClass


class Expect(Enum):
    """What a reply will be the answer to; the table of replies in ``upstream`` is by this."""

    GREETING = "greeting"
    EHLO = "EHLO"
    HELO = "HELO"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    CHUNK = "BDAT"
    OUR_CHUNK = "BDAT of ours"  # of content that came by DATA
    LAST_CHUNK = "octets of the last BDAT"  # swallowed if positive: the end is held
    END = "end of content"
    RSET = "RSET"
    AUTH = "AUTH"
    STARTTLS = "STARTTLS"
    QUIT = "QUIT"
    OTHER = "other"
    OUR_RESET = "RSET of ours"
    OUR_EHLO = "EHLO of ours"
    XCLIENT = "XCLIENT"


@dataclass(slots=True)
class Awaited:
    """``address`` is RCPT's; ``transaction`` the one that MAIL began, that RCPT adds to, or whose
    content it is.

    ``skip`` is what rules said when RCPT or DATA was sent: in force once they are accepted.
    """

    expect: Expect
    address: bytes = b""
    transaction: Transaction | None = None
    skip: frozenset[EngineClass] = frozenset()


class ReplyLedger:
    """Bounded by whoever stops reading when ``len`` reaches the bound."""

    __slots__ = ("_awaited", "_entries")

    def __init__(self) -> None:
        self._entries: deque[Awaited | bytes] = deque()
        self._awaited = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def awaits(self) -> bool:
        """Whether upstream owes anything."""
        return self._awaited > 0

    def await_reply(self, awaited: Awaited) -> None:
        self._entries.append(awaited)
        self._awaited += 1

    def owe(self, octets: bytes) -> bytes:
        """Queue an answer of our own; what of it can leave now (all of it, or nothing)."""
        if not self._awaited:
            return octets
        self._entries.append(octets)
        return b""

    def settle(self) -> Awaited | None:
        """What the reply that just came answers; None: nothing was owed."""
        if not self._awaited:
            return None
        self._awaited -= 1
        entry = self._entries.popleft()
        assert isinstance(entry, Awaited), "an own answer was left at the head of the ledger"
        return entry

    def due(self) -> bytes:
        """The own answers that nothing stands before any more; they leave the ledger."""
        due = b""
        while self._entries and isinstance(own := self._entries[0], bytes):
            due += own
            self._entries.popleft()
        return due

    def owes(self, expect: Expect) -> bool:
        """Whether upstream owes an answer of this kind."""
        return any(isinstance(entry, Awaited) and entry.expect is expect for entry in self._entries)

    def unanswered_ends(self) -> list[Transaction]:
        """Messages whose end was sent and whose fate the server has not told yet."""
        return [
            entry.transaction
            for entry in self._entries
            if isinstance(entry, Awaited) and entry.expect is Expect.END and entry.transaction
        ]

    def give_up(self, octets: bytes) -> bytes:
        """Upstream will answer nothing any more: ``octets`` in place of each reply the client is
        owed."""
        answers = [
            entry
            if not isinstance(entry, Awaited)
            else b""
            if entry.expect is Expect.OUR_CHUNK
            else octets
            for entry in self._entries
        ]
        self._entries.clear()
        self._awaited = 0
        return b"".join(answers)
