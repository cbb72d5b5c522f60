"""spamd's protocol, SPAMC/1.5 (SpamAssassin's spamd/PROTOCOL), as far as judging needs it.

One request a connection. SYMBOLS answers with the score and the names of the rules that
matched. A refusal is a status line with a code of sysexits.h, with nothing behind it that
could be relied upon, so it is complete with that line.

Errors: ReplyMalformed. Bounds: LARGEST_HEAD octets of head, LARGEST_BODY of body.
"""

import re
from dataclasses import dataclass
from typing import Final

from scanner.core.replies import ReplyMalformed, words

# A user's name as Debian's adduser allows it, and what virtual domains need besides.
USER_PATTERN: Final = r"[A-Za-z0-9._+@-]{1,64}"

LARGEST_HEAD: Final = 4096
# Names of rules, comma separated: SpamAssassin's own rule set matches a few dozen at most.
LARGEST_BODY: Final = 64 * 1024


def symbols_request(size_octets: int, user: str) -> bytes:
    """The head of the request; the content follows. ``user``: whose preferences, or empty."""
    assert not user or re.fullmatch(USER_PATTERN, user), user
    head = [b"SYMBOLS SPAMC/1.5", b"Content-length: %d" % size_octets]
    if user:
        head.append(b"User: " + user.encode("ascii"))
    return b"\r\n".join(head) + b"\r\n\r\n"


PING: Final = b"PING SPAMC/1.5\r\n\r\n"


@dataclass(frozen=True, slots=True)
class SpamReply:
    """What spamd states. ``refusal``: its words when it did not judge, else empty."""

    score: float = 0.0
    symbols: str = ""
    refusal: str = ""


_STATUS: Final = re.compile(rb"SPAMD/(?P<version>\d{1,2}\.\d{1,2}) (?P<code>\d{1,3}) (?P<words>.*)")
_NUMBER: Final = rb"-?\d{1,9}(?:\.\d{1,9})?"
_SPAM: Final = re.compile(
    rb"Spam: (?:True|False|Yes|No) ; (?P<score>" + _NUMBER + rb") / " + _NUMBER, re.IGNORECASE
)
_CONTENT_LENGTH: Final = re.compile(rb"Content-length: (\d{1,9})", re.IGNORECASE)


class SymbolsReader:
    """Reads the reply to SYMBOLS."""

    __slots__ = ("_octets", "trailing")

    def __init__(self) -> None:
        self._octets = b""
        self.trailing = b""

    def feed(self, octets: bytes) -> SpamReply | None:
        self._octets += octets
        status, line_end, _ = self._octets.partition(b"\r\n")
        _check_head(status)
        if not line_end:
            return None
        parsed = _status(status)
        if int(parsed["code"]) != 0:
            self.trailing = self._octets[len(status) + 2 :]
            return SpamReply(refusal=words(b"%s %s" % (parsed["code"], parsed["words"])))
        head, head_end, body = self._octets.partition(b"\r\n\r\n")
        _check_head(head)
        return self._judged(head, body) if head_end else None

    def _judged(self, head: bytes, body: bytes) -> SpamReply | None:
        fields = head.split(b"\r\n")[1:]
        size = int(_only(fields, _CONTENT_LENGTH, "Content-length")[1])
        score = float(_only(fields, _SPAM, "Spam")["score"])
        if size > LARGEST_BODY:
            raise ReplyMalformed(f"a body of {size} octets")
        if len(body) < size:
            return None
        self.trailing = body[size:]
        return SpamReply(score, words(body[:size].strip()))


class PongReader:
    """Reads the reply to PING: the version of the protocol spamd speaks."""

    __slots__ = ("_octets", "trailing")

    def __init__(self) -> None:
        self._octets = b""
        self.trailing = b""

    def feed(self, octets: bytes) -> str | None:
        self._octets += octets
        status, line_end, self.trailing = self._octets.partition(b"\r\n")
        _check_head(status)
        if not line_end:
            return None
        parsed = _status(status)
        if int(parsed["code"]) != 0 or parsed["words"] != b"PONG":
            raise ReplyMalformed(f"not a pong: {words(status)}")
        return words(parsed["version"])


def _check_head(octets: bytes) -> None:
    if len(octets) > LARGEST_HEAD:
        raise ReplyMalformed(f"more than {LARGEST_HEAD} octets of head")


def _status(line: bytes) -> re.Match[bytes]:
    parsed = _STATUS.fullmatch(line)
    if parsed is None:
        raise ReplyMalformed(f"not a status line of spamd: {words(line)}")
    return parsed


def _only(fields: list[bytes], pattern: re.Pattern[bytes], name: str) -> re.Match[bytes]:
    """The one field of that name. Two would be two scores: nobody's to choose from."""
    found = [parsed for field in fields if (parsed := pattern.fullmatch(field.rstrip()))]
    if len(found) != 1:
        raise ReplyMalformed(f"{len(found)} fields {name}")
    return found[0]
