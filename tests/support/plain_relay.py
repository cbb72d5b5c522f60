"""The same relay written the naive way, to compare the core with.

It has the whole of the client's stream in its hands, does one command after another, asks the
server and waits for the answer, and knows nothing of slices, barriers or pipelining. So it is
short enough to be seen to be right, and what it says is what the core must come to however the
octets were cut and mixed. STARTTLS is left out: what may follow it depends on time.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from edge_proxy.relay import refusals
from edge_proxy.relay.refusals import Refusal
from edge_proxy.smtp.limits import AUTH_LINE, COMMAND_LINE
from edge_proxy.smtp.paths import parse_path
from rulebook.values import Rulebook
from smtpgated_contracts.values.scan import Verdict, VerdictKind
from tests.support.model_server import ModelServer
from tests.support.relay_samples import CLEAN, RULEBOOK, lets_through

RELAYED: Final = frozenset(
    b"HELO EHLO MAIL RCPT DATA RSET NOOP QUIT VRFY EXPN HELP ETRN AUTH STARTTLS".split()
)
HIDDEN: Final = frozenset({b"XCLIENT"})
HTTP: Final = frozenset(b"GET POST PUT HEAD DELETE OPTIONS CONNECT TRACE PATCH PRI".split())
MAX_REFUSED: Final = 20

_END: Final = b"\r\n.\r\n"
_AMBIGUOUS_LINES: Final = re.compile(rb"\0|\r(?=[^\n])")
_AMBIGUOUS: Final = re.compile(rb"\0|\r(?=[^\n])|(?<!\r)\n\.|\r\n\.\n")
"""What some server would read otherwise than we do, an end of content among it."""


class End(Enum):
    """How far the plain relay got."""

    STREAM = "the client's octets are used up"
    QUIT = "QUIT was answered"
    SERVER = "the server left or broke the protocol"
    OURS = "we hung up, with a last word"
    TAKEN_OVER = "taken over, then left"


@dataclass
class PlainOutcome:
    """``replies`` are those given before the last word, one an element.

    ``contents`` are those whose end came. ``loose`` is content without an end, of which more
    or less may have gone upstream before that was known.
    """

    end: End = End.STREAM
    replies: list[bytes] = field(default_factory=list)
    last_word: bytes = b""
    upstream: bytes = b""
    contents: list[bytes] = field(default_factory=list)
    released: int = 0
    loose: bytes = b""

    @property
    def downstream(self) -> bytes:
        return b"".join(self.replies) + self.last_word


class _Ended(Exception):  # noqa: N818 - not an error
    pass


class PlainRelay:
    def __init__(
        self,
        client: bytes,
        server: ModelServer,
        verdicts: Sequence[Verdict],
        rulebook: Rulebook = RULEBOOK,
    ) -> None:
        self._client = client
        self._server = server
        self._verdicts = verdicts
        self._begun = 0
        self._chunking = self._open = False
        self._chunks: list[bytes] | None = None
        self._chunk_refused = False
        self._binary = False
        self._rulebook = rulebook
        self._refused = 0
        self._enhanced = True
        self.outcome = PlainOutcome()

    def run(self) -> PlainOutcome:
        try:
            self._hear()
            while True:
                self._command(self._line())
        except _Ended:
            return self.outcome

    def _command(self, line: bytes) -> None:
        word, _, argument = line[:-2].partition(b" ")
        verb, argument = word.upper(), argument.strip(b" \t")
        if len(line) > COMMAND_LINE and verb != b"AUTH":
            self._refuse(refusals.LINE_TOO_LONG)
        elif verb in HTTP:
            self._end(End.OURS, refusals.NOT_SMTP)
        elif verb == b"BDAT":
            self._chunk(argument)
        elif verb not in RELAYED:
            self._refuse(refusals.UNKNOWN_COMMAND)
        elif verb in (b"MAIL", b"RCPT") and not _has_address(verb, argument):
            self._refuse(refusals.MALFORMED_ADDRESS)
        elif verb == b"DATA" and self._chunks is not None:
            self._refuse(refusals.DATA_AMONG_CHUNKS)
        else:
            self._relay(verb, line)

    def _relay(self, verb: bytes, line: bytes) -> None:
        answer = self._ask(line, verb)
        while verb == b"AUTH" and answer.startswith(b"334"):
            answer = self._ask(self._line(), verb)
        if answer.startswith(b"250") and verb in (b"EHLO", b"HELO"):
            self._enhanced = b"ENHANCEDSTATUSCODES" in answer
            self._chunking = b"CHUNKING" in answer
        if answer.startswith(b"2") and verb in (b"EHLO", b"HELO", b"RSET", b"MAIL"):
            self._afresh()
            self._open = verb == b"MAIL"
            self._binary = b"BODY=BINARYMIME" in line.upper()
        if verb == b"DATA" and answer.startswith(b"354"):
            self._content()
        if verb == b"QUIT":
            self._end(End.QUIT)

    def _content(self) -> None:
        stream = b"\r\n" + self._client
        end = stream.find(_END)
        ambiguous = _AMBIGUOUS.search(stream, 0, end + 2 if end >= 0 else len(stream))
        if ambiguous is not None:
            self.outcome.loose = self._client[: ambiguous.end()]
            self._end(End.OURS, refusals.AMBIGUOUS_CONTENT)
        if end < 0:
            self.outcome.loose = self._client
            self._end(End.STREAM)
        wire, self._client = stream[2 : end + 2], stream[end + len(_END) :]
        self.outcome.upstream += wire
        self._server.receive(wire)
        self._begun += 1
        self._judge(_unstuffed(wire), b".\r\n")

    def _judge(self, content: bytes, end: bytes) -> None:
        self.outcome.contents.append(content)
        self._afresh()
        verdict = self._verdicts[self._begun - 1] if self._begun <= len(self._verdicts) else CLEAN
        if lets_through(self._rulebook, verdict):
            self.outcome.released += 1
            self._ask(end, b".")
            return
        self._say(_refusal_for(verdict))
        if end == b".\r\n":
            self._take_over()
        elif not self._ask_ourselves(b"RSET\r\n").startswith(b"2"):
            self._end(End.OURS, refusals.SERVER_VIOLATION)

    def _take_over(self) -> None:
        while True:
            verb = self._line()[:-2].partition(b" ")[0].upper()
            if verb == b"QUIT":
                self._say(refusals.GOODBYE)
                self._end(End.TAKEN_OVER)
            if verb not in (b"RSET", b"NOOP"):
                self._end(End.OURS, refusals.TAKEN_OVER)
            self._refuse(refusals.DONE)

    def _chunk(self, argument: bytes) -> None:
        size = re.fullmatch(rb"([0-9]{1,18})(?:[ \t]+(LAST))?", argument, re.IGNORECASE)
        if size is None:
            self._end(End.OURS, refusals.MALFORMED_CHUNK)
        elif not self._chunking:
            self._refuse_chunk(int(size[1]), refusals.UNKNOWN_COMMAND)
        elif self._chunks is None and not self._open:
            self._refuse_chunk(int(size[1]), refusals.NO_TRANSACTION)
        else:
            self._relay_chunk(int(size[1]), last=size[2] is not None)

    def _refuse_chunk(self, size: int, refusal: Refusal) -> None:
        self._refuse(refusal)
        self._client = self._client[size:]

    def _relay_chunk(self, size: int, *, last: bool) -> None:
        if self._chunks is None:
            self._begun += 1
            self._chunks = []
        command = b"" if last and not size else b"BDAT %d\r\n" % size
        octets, self._client = self._client[:size], self._client[size:]
        self._chunks.append(octets)
        ambiguous = not self._binary and _AMBIGUOUS_LINES.search(b"".join(self._chunks))
        if len(octets) < size or ambiguous:
            self.outcome.upstream += command
            self.outcome.loose = octets
            if ambiguous:
                self._end(End.OURS, refusals.AMBIGUOUS_CONTENT)
            self._end(End.STREAM)
        answer = b"250" if not command else self._ask_ourselves(command + octets)
        refused = not answer.startswith(b"2")
        if not last or refused:
            self.outcome.replies.append(answer)
        elif self._chunk_refused:
            self._say(refusals.CHUNK_BEFORE_REFUSED)
        else:
            self._judge(b"".join(self._chunks), b"BDAT 0 LAST\r\n")
        self._chunk_refused = self._chunk_refused or refused

    def _afresh(self) -> None:
        self._open, self._chunks, self._chunk_refused = False, None, False

    # Lines, questions, answers

    def _line(self) -> bytes:
        end = self._client.find(b"\n", 0, AUTH_LINE)
        if end < 0:
            self._end(*((End.OURS, refusals.LINE_TOO_LONG) if self._endless else (End.STREAM,)))
        line, self._client = self._client[: end + 1], self._client[end + 1 :]
        if not line.endswith(b"\r\n") or b"\r" in line[:-2] or b"\0" in line:
            self._end(End.OURS, refusals.BAD_LINE)
        return line

    @property
    def _endless(self) -> bool:
        return len(self._client) >= AUTH_LINE

    def _ask(self, octets: bytes, verb: bytes) -> bytes:
        self.outcome.upstream += octets
        self._server.receive(octets)
        return self._hear(verb)

    def _ask_ourselves(self, octets: bytes) -> bytes:
        """The client does not hear the answer."""
        answer = self._ask(octets, b"BDAT")
        self.outcome.replies.pop()
        return answer

    def _hear(self, verb: bytes = b"") -> bytes:
        """The server's answer; the end if it is none, or if there is more than one."""
        said = self._server.outgoing.popleft() if self._server.outgoing else None
        if said is None or not _answers(verb, said):
            self._end(End.SERVER)
            return b""
        self.outcome.replies.append(_masked(said) if verb == b"EHLO" else said)
        if self._server.outgoing and verb != b"QUIT":
            self._end(End.SERVER)
        return said

    def _say(self, refusal: Refusal) -> None:
        self.outcome.replies.append(refusals.render(refusal, enhanced=self._enhanced))

    def _refuse(self, refusal: Refusal) -> None:
        self._refused += 1
        if self._refused > MAX_REFUSED:
            self._end(End.OURS, refusals.TOO_MANY_ERRORS)
        self._say(refusal)

    def _end(self, end: End, last_word: Refusal | None = None) -> None:
        self.outcome.end = end
        if last_word is not None:
            self.outcome.last_word = refusals.render(last_word, enhanced=self._enhanced)
        raise _Ended


def _has_address(verb: bytes, argument: bytes) -> bool:
    return parse_path(argument, b"FROM" if verb == b"MAIL" else b"TO") is not None


def _answers(verb: bytes, said: bytes) -> bool:
    if said[:1] not in b"245":
        return (verb == b"DATA" and said[:3] == b"354") or (verb == b"AUTH" and said[:3] == b"334")
    return said[:3].isdigit() and not (verb == b"DATA" and said[:1] == b"2")


def _masked(said: bytes) -> bytes:
    lines = said.splitlines()
    kept = [line for line in lines if line[4:].partition(b" ")[0] not in HIDDEN]
    kept[-1] = kept[-1][:3] + b" " + kept[-1][4:]
    return b"".join(line + b"\r\n" for line in kept)


def _unstuffed(wire: bytes) -> bytes:
    lines = wire.split(b"\r\n")
    return b"\r\n".join(line[1:] if line.startswith(b".") else line for line in lines)


def _refusal_for(verdict: Verdict) -> Refusal:
    if verdict.kind is VerdictKind.INFECTED:
        return refusals.INFECTED.saying("Message refused: malicious content found")
    if verdict.kind is VerdictKind.SUSPECT:
        return refusals.CONTENT_REFUSED.saying("Message refused: it looks like spam")
    return refusals.NOT_SCANNED
