"""Messages as people, programs and attackers make them, by chance that is the same every time.

``made`` says by construction whether the test virus is inside, in a place and an encoding from
which every scanner of mail digs it out; what is broken about a message is broken around it.
"""

import base64
import io
import random
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

SEED: Final = 20_051_121
_WORDS: Final = (
    b"invoice meeting tomorrow the of and with please regards attached draft price = == -- "
    b"\xc5\xbc\xc3\xb3\xc5\x82w caf\xe9 report . .. < > @ % \t"
).split()
_DEPTH: Final = 4


@dataclass(frozen=True, slots=True)
class Made:
    """``how`` names what was done, outermost first."""

    content: bytes
    infected: bool
    how: tuple[str, ...]


Part = tuple[list[bytes], bytes]
"""Header lines without their ends, and a body."""


def made(chance: random.Random, virus: bytes) -> Made:
    """One message; about one in three is infected with ``virus``."""
    how: list[str] = []
    infected = chance.random() < 1 / 3
    part = _leaf(chance, virus if infected else None, how)
    for _ in range(chance.randrange(_DEPTH)):
        part = chance.choice(_WRAPPINGS)(chance, part, how)
    headers, body = part
    top = [
        b"From: someone@example.org",
        b"To: other@example.net",
        b"Subject: " + _words(chance, 6),
        b"MIME-Version: 1.0",
    ]
    chance.shuffle(top)
    if chance.random() < 1 / 4:
        chance.choice(_ODDITIES)(chance, top, how)
    lines = [*top, *headers, b""]
    return Made(b"\r\n".join(lines) + b"\r\n" + body, infected, (*reversed(how),))


def _words(chance: random.Random, count: int) -> bytes:
    return b" ".join(chance.choices(_WORDS, k=count))


def _text(chance: random.Random) -> bytes:
    lines = (_words(chance, chance.randrange(1, 14)) for _ in range(chance.randrange(1, 60)))
    return b"\r\n".join(lines) + b"\r\n"


def _leaf(chance: random.Random, virus: bytes | None, how: list[str]) -> Part:
    if virus is None:
        kind = chance.choice(("text", "octets"))
        how.append(kind)
        if kind == "text":
            return [b"Content-Type: text/plain; charset=utf-8"], _text(chance)
        return _encoded(chance, chance.randbytes(chance.randrange(0, 60_000)), how)
    if chance.random() < 1 / 3:
        how.append("zip")
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a/b.txt", b"nothing")
            archive.writestr("c.com", virus)
        return _encoded(chance, packed.getvalue(), how)
    how.append("virus")
    return _encoded(chance, virus, how)


def _encoded(chance: random.Random, octets: bytes, how: list[str]) -> Part:
    headers = [
        b"Content-Type: application/octet-stream",
        b'Content-Disposition: attachment; filename="c.com"',
    ]
    encoding = chance.choice(("base64", "base64 in odd lines", "quoted-printable"))
    how.append(encoding)
    if encoding == "quoted-printable":
        # Not as text: a line end inside is an octet of the file (RFC 2045 §6.7).
        quoted = [b"=%02X" % each for each in octets]
        rows = [b"".join(quoted[at : at + 24]) for at in range(0, len(quoted), 24)]
        body = b"=\r\n".join(rows) + b"\r\n"
        return [*headers, b"Content-Transfer-Encoding: quoted-printable"], body
    width = 76 if encoding == "base64" else chance.choice((4, 20, 60, 72))
    text = base64.b64encode(octets)
    lines = [text[at : at + width] for at in range(0, len(text), width)]
    name = chance.choice((b"base64", b"BASE64", b"Base64"))
    return [*headers, b"Content-Transfer-Encoding: " + name], b"\r\n".join(lines) + b"\r\n"


def _multipart(chance: random.Random, part: Part, how: list[str]) -> Part:
    kind = chance.choice((b"mixed", b"related", b"alternative", b"signed", b"x-unheard-of"))
    how.append(f"multipart/{kind.decode()}")
    boundary = b"=_" + chance.randbytes(8).hex().encode()
    parts = [part]
    for _ in range(chance.randrange(3)):
        other = [b"Content-Type: text/html"], b"<p>" + _text(chance)
        parts.insert(chance.randrange(len(parts) + 1), other)
    body = b"".join(
        b"--" + boundary + b"\r\n" + b"\r\n".join(headers) + b"\r\n\r\n" + content + b"\r\n"
        for headers, content in parts
    )
    preamble = b"This is a message in parts.\r\n" if chance.random() < 1 / 2 else b""
    header = b"Content-Type: multipart/" + kind + b'; boundary="' + boundary + b'"'
    return [header], preamble + body + b"--" + boundary + b"--\r\n"


def _forwarded(chance: random.Random, part: Part, how: list[str]) -> Part:
    how.append("message/rfc822")
    headers, body = part
    inner = b"\r\n".join([b"From: inner@example.org", b"MIME-Version: 1.0", *headers, b""])
    return [b"Content-Type: message/rfc822"], inner + b"\r\n" + body


_WRAPPINGS: Final[tuple[Callable[[random.Random, Part, list[str]], Part], ...]] = (
    _multipart,
    _multipart,
    _forwarded,
)


def _folded(chance: random.Random, top: list[bytes], how: list[str]) -> None:
    how.append("a folded header")
    top.append(b"X-Folded: " + b"\r\n\t".join(_words(chance, 4) for _ in range(5)))


def _long(chance: random.Random, top: list[bytes], how: list[str]) -> None:
    how.append("a header of 20,000 octets")
    top.append(b"X-Long: " + b"x" * 20_000)


def _eight_bit(chance: random.Random, top: list[bytes], how: list[str]) -> None:
    how.append("raw octets in a header")
    top.append(b"X-Raw: " + bytes(each for each in chance.randbytes(60) if each > 0x7F))


def _many(chance: random.Random, top: list[bytes], how: list[str]) -> None:
    how.append("hundreds of headers")
    top += [b"X-Hop-%d: " % number + _words(chance, 3) for number in range(300)]


_ODDITIES: Final[tuple[Callable[[random.Random, list[bytes], list[str]], None], ...]] = (
    _folded,
    _long,
    _eight_bit,
    _many,
)
