"""What the readers of the engines' replies have in common: their shape, and their one error."""

from typing import Protocol, TypeVar

Reply = TypeVar("Reply", covariant=True)  # noqa: PLC0105 - a plain word reads better

LARGEST_TEXT = 512
"""Characters kept of what an engine says in words: names, symbols, errors."""


class ReplyMalformed(ValueError):  # noqa: N818 - named for the reply, as MalformedMessage is
    """An engine answered what its protocol does not allow; the text is for logs only."""


class ReplyReader(Protocol[Reply]):
    """Reads one reply and no octet more."""

    @property
    def trailing(self) -> bytes:
        """What came behind the reply; empty until it is complete."""
        ...

    def feed(self, octets: bytes) -> Reply | None:
        """The reply when these octets complete it. Raises ReplyMalformed."""
        ...


def words(octets: bytes) -> str:
    """An engine's own words as printable ASCII, cut at LARGEST_TEXT."""
    text = octets[:LARGEST_TEXT].decode("ascii", "backslashreplace")
    return "".join(each if each.isprintable() else "?" for each in text)[:LARGEST_TEXT]
