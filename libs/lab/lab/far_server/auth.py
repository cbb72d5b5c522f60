"""AUTH PLAIN and LOGIN as the far server speaks them (RFC 4954; RFC 4616 for PLAIN).

A mechanism is a generator: it yields what to ask for (the text of a 334) and is sent the
decoded answers; it returns user and password. ``None`` as an answer means there was no
initial response.
"""

import base64
import binascii
from collections.abc import Callable, Generator, Mapping
from typing import Final

Credentials = tuple[str, str]
Mechanism = Generator[bytes, bytes, Credentials]


CANCEL: Final = b"*"


class AuthError(Exception):
    """The answer is no answer of this mechanism; its text is a reply line."""


def _plain(initial: bytes | None) -> Mechanism:
    answer = (yield b"") if initial is None else initial
    parts = answer.split(b"\0")
    if len(parts) != 3:  # noqa: PLR2004  authorization identity, user, password
        raise AuthError("501 5.5.2 not a PLAIN answer")
    return _text(parts[1]), _text(parts[2])


def _login(initial: bytes | None) -> Mechanism:
    user = (yield b"Username:") if initial is None else initial
    password = yield b"Password:"
    return _text(user), _text(password)


MECHANISMS: Final[Mapping[bytes, Callable[[bytes | None], Mechanism]]] = {
    b"PLAIN": _plain,
    b"LOGIN": _login,
}


def decoded(answer: bytes) -> bytes:
    """One base64 line of the client's; ``=`` alone is the empty answer (RFC 4954 §4)."""
    if answer == CANCEL:
        raise AuthError("501 5.7.0 cancelled")
    try:
        return b"" if answer == b"=" else base64.b64decode(answer, validate=True)
    except binascii.Error:
        raise AuthError("501 5.5.2 not base64") from None


def challenge(text: bytes) -> str:
    """The 334 reply that asks for ``text``."""
    return "334 " + base64.b64encode(text).decode()


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "backslashreplace")
