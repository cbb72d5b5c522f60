"""The readers of ``scanner.core`` under ``tests.support.three_ways``."""

from collections.abc import Callable
from typing import Generic, TypeVar

from scanner.core.replies import ReplyReader
from tests.support import three_ways

Reply = TypeVar("Reply")


class _AsSource(Generic[Reply]):
    """``feed`` and what it returned, taken apart."""

    def __init__(self, reader: ReplyReader[Reply]) -> None:
        self._reader = reader
        self._reply: Reply | None = None

    def feed(self, octets: bytes) -> None:
        self._reply = self._reader.feed(octets)

    def take(self) -> Reply | None:
        return self._reply

    def left(self) -> bytes:
        return self._reader.trailing


def read_three_ways(new: Callable[[], ReplyReader[Reply]], octets: bytes) -> Reply:
    """The reply, the same whole, octet by octet and with others behind."""
    reply = three_ways.three_ways(lambda: _AsSource(new()), octets)
    assert reply is not None, "the reply is not complete"
    return reply
