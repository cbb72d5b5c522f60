"""A mail server in pure Python, for tests of the core: commands in, replies out, in order.

It is as lenient about the end of content as the worst of servers, so that an end it sees too
early is an end that some server would see: ``early_ends`` counts them. It keeps chunks whatever
it answered to them, and ends a message that lost one, if it is told to. What it does with each
command is its mood, one a command, given from outside.
"""

import re
from collections import deque
from collections.abc import Iterable
from enum import Enum
from typing import Final

OFFERS: Final = (
    b"PIPELINING",
    b"SIZE 10000000",
    b"8BITMIME",
    b"CHUNKING",
    b"BINARYMIME",
    b"ENHANCEDSTATUSCODES",
    b"AUTH PLAIN LOGIN",
    b"STARTTLS",
    b"XCLIENT NAME ADDR",
)

_ENVELOPE_ENDS: Final = frozenset({b"EHLO", b"HELO", b"RSET"})
_SIMPLE: Final = {
    b"HELO": (b"250", b"ok"),
    b"RSET": (b"250", b"ok"),
    b"NOOP": (b"250", b"ok"),
    b"HELP": (b"214", b"read the RFC"),
    b"VRFY": (b"252", b"who knows"),
    b"RCPT": (b"503", b"no sender"),
    b"DATA": (b"503", b"no recipients"),
    b"STARTTLS": (b"220", b"go ahead"),
    b"QUIT": (b"221", b"bye"),
    b".": (b"250", b"queued"),
    b"XCLIENT": (b"220", b"pleased"),
}

_BDAT: Final = re.compile(rb"BDAT ([0-9]+)( LAST)?")

ANY_END: Final = re.compile(rb"[\r\n]\.[\r\n\0]")
"""A dot that some server would take for the end of content."""


class Mood(Enum):
    """What the server does with one command."""

    WILLING = "what was asked, 2xx or 3xx"
    LATER = "4xx"
    NEVER = "5xx"
    LEAVING = "421, then hangs up"
    GONE = "hangs up without a word"
    BABBLING = "octets that are no reply"
    CONFUSED = "a code that is no answer to this verb"
    TALKATIVE = "the answer, and another one to nothing"


STEADY: Final = frozenset({Mood.WILLING, Mood.LATER, Mood.NEVER})
"""Moods after which a session goes on."""


class ModelServer:
    """``outgoing``: what it says, reply by reply; None: it hung up."""

    def __init__(self, moods: Iterable[Mood] = (), offers: tuple[bytes, ...] = OFFERS) -> None:
        self._moods = iter(moods)
        self._offers = offers
        self._unread = b""
        self._in_content = False
        self._chunks: list[bytes] = []
        self._answers_owed = 0
        self._said = 0
        self._envelope: list[bytes] = []
        self.outgoing: deque[bytes | None] = deque([b"220 mx.example ESMTP\r\n"])
        self.commands: list[bytes] = []
        self.stored: list[bytes] = []
        self.contents: list[bytes] = []
        self.envelopes: list[list[bytes]] = []
        self.early_ends = 0
        self.left = False
        self.tunnel = False

    def receive(self, octets: bytes) -> None:
        """Octets from the edge; what they lead to is in ``outgoing`` afterwards."""
        if self.left or self.tunnel:
            return
        self._unread += octets
        while self._read_content() or self._read_command():
            if self.left:
                return

    def _read_content(self) -> bool:
        if not self._in_content:
            return False
        window = b"\r\n" + self._unread
        end = window.find(b"\r\n.\r\n")
        lone = ANY_END.search(window)
        if lone is not None and lone.start() != end + 1:
            self.early_ends += 1
        if end < 0:
            return False
        self._store(wire := window[2 : end + 2], _unstuffed(wire))
        self._unread, self._in_content = window[end + 5 :], False
        self._forget()
        self._obey(b".")
        return True

    def _read_command(self) -> bool:
        if self._in_content:
            return False
        line, found, rest = self._unread.partition(b"\r\n")
        if not found:
            return False
        chunk = None if self._answers_owed else _BDAT.fullmatch(line)
        if chunk is not None and len(rest) < int(chunk[1]):
            return False
        self._unread = rest
        self.commands.append(line)
        if chunk is not None:
            self._take_chunk(int(chunk[1]), last=chunk[2] is not None)
        elif self._answers_owed:
            self._take_answer(line)
        else:
            self._obey(line)
        return True

    def _take_chunk(self, size: int, *, last: bool) -> None:
        if self._envelope and not self._chunks:
            self.envelopes.append(self._envelope)
        accepted = len(self._envelope) > 1
        self._chunks.append(self._unread[:size])
        self._unread = self._unread[size:]
        if last:
            self._store(content := b"".join(self._chunks), content)
            self._forget()
        self._obey(b"." if accepted else b"BDAT")

    def _store(self, wire: bytes, content: bytes) -> None:
        self.stored.append(wire)
        self.contents.append(content)

    def _forget(self) -> None:
        self._envelope, self._chunks = [], []

    def _take_answer(self, line: bytes) -> None:
        self._answers_owed -= 1
        if line == b"*":
            self._answers_owed = 0
            self._say(b"501", b"cancelled")
        elif self._answers_owed:
            self._say(b"334", b"UGFzc3dvcmQ6")
        else:
            self._say(b"235", b"accepted")

    def _obey(self, line: bytes) -> None:
        mood = next(self._moods, Mood.WILLING)
        verb = line.partition(b" ")[0].upper()
        match mood:
            case Mood.WILLING:
                self._do(verb, line)
            case Mood.LATER:
                self._say(b"451", b"later")
            case Mood.NEVER:
                self._say(b"550", b"never")
            case Mood.LEAVING:
                self._say(b"421", b"closing")
                self._hang_up()
            case Mood.GONE:
                self._hang_up()
            case Mood.BABBLING:
                self.outgoing.append(b"hello?\r\n")
            case Mood.CONFUSED:
                self._say(b"250" if verb == b"DATA" else b"354", b"confused")
            case Mood.TALKATIVE:
                self._say(b"250" if verb != b"DATA" else b"550", b"one")
                self._say(b"250", b"and another")

    def _do(self, verb: bytes, line: bytes) -> None:
        if verb in _ENVELOPE_ENDS:
            self._forget()
        match verb:
            case b"EHLO":
                self._offer()
            case b"MAIL":
                self._forget()
                self._envelope = [line[5:]]
                self._say(b"250", b"sender")
            case b"BDAT":
                self._say(b"503", b"no recipients")
            case b"RCPT" if self._envelope:
                self._envelope.append(line[5:])
                self._say(b"250", b"recipient")
            case b"DATA" if len(self._envelope) > 1:
                self._in_content = True
                self.envelopes.append(self._envelope)
                self._say(b"354", b"go ahead")
            case b"AUTH":
                self._authenticate(line)
            case _:
                self._say(*_SIMPLE.get(verb, (b"500", b"what")))
        self.tunnel = verb == b"STARTTLS"
        if verb == b"QUIT":
            self._hang_up()

    def _offer(self) -> None:
        lines = (b"mx.example", *self._offers)
        *more, last = lines
        reply = b"".join(b"250-%b\r\n" % each for each in more) + b"250 %b\r\n" % last
        self.outgoing.append(reply)

    def _authenticate(self, line: bytes) -> None:
        if line.upper().startswith(b"AUTH LOGIN"):
            self._answers_owed = 2
            self._say(b"334", b"VXNlcm5hbWU6")
        else:
            self._say(b"235", b"accepted")

    def _say(self, code: bytes, text: bytes) -> None:
        """Replies are numbered: one that is lost, doubled or moved is seen."""
        self._said += 1
        self.outgoing.append(b"%b %b (%d)\r\n" % (code, text, self._said))

    def _hang_up(self) -> None:
        self.left = True
        self.outgoing.append(None)


def _unstuffed(wire: bytes) -> bytes:
    return b"\r\n".join(line.removeprefix(b".") for line in wire.split(b"\r\n"))
