"""rspamd's protocol as far as judging needs it: HTTP/1.1, ``POST /checkv2`` and ``GET /ping``.

h11 speaks the HTTP. What is known of the session travels as header fields beside the content
(rspamd's "protocol" document): addresses are strangers' octets, so what a field cannot hold
is replaced, long values are cut, and only the first recipients are told.

Errors: ReplyMalformed. Bounds: LARGEST_HEAD octets of head, LARGEST_BODY of body.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

import h11

from scanner.core.replies import ReplyMalformed, words

LARGEST_HEAD: Final = 16 * 1024
LARGEST_BODY: Final = 1024 * 1024
# What rspamd itself takes (options.max_recipients is 1024) would make a head of megabytes.
MOST_RECIPIENTS: Final = 50
LARGEST_VALUE: Final = 512

Field = tuple[bytes, bytes]


def field(name: str, value: bytes) -> Field:
    """A header field; octets that would end or forge one become ``?``."""
    held = bytes(octet if 0x20 <= octet != 0x7F else 0x3F for octet in value[:LARGEST_VALUE])  # noqa: PLR2004 - controls
    return name.encode("ascii"), held.strip()


def check_request(size_octets: int, fields: Iterable[Field]) -> bytes:
    """The head of the request; the content follows as it is."""
    length = (b"Content-Length", b"%d" % size_octets)
    return _head("POST", "/checkv2", (*fields, length))


PING_TARGET: Final = "/ping"


def ping_request() -> bytes:
    return _head("GET", PING_TARGET, ())


def _head(method: str, target: str, fields: Iterable[Field]) -> bytes:
    headers = [(b"Host", b"rspamd"), *fields]
    return (
        h11.Connection(h11.CLIENT).send(h11.Request(method=method, target=target, headers=headers))
        or b""
    )


@dataclass(frozen=True, slots=True)
class HttpReply:
    status: int
    server: str
    body: bytes


class HttpReader:
    """Reads one reply to a request that was sent with ``check_request`` or ``ping_request``."""

    __slots__ = ("_body", "_connection", "_head", "trailing")

    def __init__(self) -> None:
        self._connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=LARGEST_HEAD)
        self._connection.send(h11.Request(method="GET", target="/", headers=[(b"Host", b"x")]))
        self._connection.send(h11.EndOfMessage())
        self._head: h11.Response | None = None
        self._body = bytearray()
        self.trailing = b""

    def feed(self, octets: bytes) -> HttpReply | None:
        try:
            self._connection.receive_data(octets)
            return self._read()
        except h11.RemoteProtocolError as wrong:
            raise ReplyMalformed(f"not HTTP: {words(str(wrong).encode())}") from None

    def _read(self) -> HttpReply | None:
        while True:
            match self._connection.next_event():
                case h11.Response() as head:
                    self._head = head
                case h11.Data(data=data):
                    self._body += data
                    if len(self._body) > LARGEST_BODY:
                        raise ReplyMalformed(f"a body of more than {LARGEST_BODY} octets")
                case h11.EndOfMessage():
                    self.trailing = bytes(self._connection.trailing_data[0])
                    return self._whole()
                case h11.NEED_DATA:
                    return None
                case _:
                    pass  # 1xx: not the answer yet

    def _whole(self) -> HttpReply:
        assert self._head is not None
        server = next((value for name, value in self._head.headers if name == b"server"), b"")
        return HttpReply(self._head.status_code, words(server), bytes(self._body))


@dataclass(frozen=True, slots=True)
class SpamOpinion:
    """``symbols``: names of the rules that scored, worst first. ``refusal``: why there is none."""

    score: float = 0.0
    action: str = ""
    symbols: str = ""
    refusal: str = ""


_DONE: Final = 200
# It wants the message to come again: greylisting, a limit of its own, or a task that timed out.
_UNDECIDED: Final = "soft reject"


def opinion(reply: HttpReply) -> SpamOpinion:
    """What rspamd says about content. Raises ReplyMalformed."""
    said = _json(reply.body)
    if reply.status != _DONE or "error" in said:
        return SpamOpinion(refusal=words(f"{reply.status} {said.get('error', '')}".encode()))
    action, score = said.get("action"), said.get("score")
    if not isinstance(action, str) or not _is_number(score):
        raise ReplyMalformed("no score or no action")
    if action == _UNDECIDED:
        return SpamOpinion(refusal=words(f"{_UNDECIDED}: {_message(said)}".encode()))
    return SpamOpinion(float(score), words(action.encode()), _symbols(said.get("symbols")))


class OpinionReader:
    """Reads the reply to ``check_request``."""

    __slots__ = ("_http",)

    def __init__(self) -> None:
        self._http = HttpReader()

    @property
    def trailing(self) -> bytes:
        return self._http.trailing

    def feed(self, octets: bytes) -> SpamOpinion | None:
        reply = self._http.feed(octets)
        return None if reply is None else opinion(reply)


def _json(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise ReplyMalformed("not JSON") from None
    if not isinstance(said, dict):
        raise ReplyMalformed("not an object")
    return said


def _message(said: dict[str, Any]) -> str:
    messages = said.get("messages")
    return str(messages.get("smtp_message", "")) if isinstance(messages, dict) else ""


def _symbols(symbols: object) -> str:
    if not isinstance(symbols, dict):
        raise ReplyMalformed("no symbols")
    scored = [
        (-score, name)
        for name, each in symbols.items()
        if isinstance(each, dict) and _is_number(score := each.get("score"))
    ]
    return words(",".join(name for _, name in sorted(scored)).encode())


def _is_number(value: object) -> TypeGuard[float]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value)
