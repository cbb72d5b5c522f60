"""Drive a reader with the same octets three ways: whole, octet by octet, with others behind.

A reader that gives anything but the same three times depends on how the network cut the stream.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

TRAILING = b"NOOP trailing\r\nx"


class Source(Protocol[T_co]):
    """Octets in, at most one value out, and what no value accounts for yet."""

    def feed(self, octets: bytes) -> None: ...
    def take(self) -> T_co | None: ...
    def left(self) -> bytes: ...


def read_whole(new: Callable[[], Source[T]], octets: bytes) -> T | None:
    source = new()
    source.feed(octets)
    return source.take()


def read_by_octet(new: Callable[[], Source[T]], octets: bytes) -> T | None:
    """Asserts that nothing comes before the last octet."""
    source = new()
    for octet in octets[:-1]:
        source.feed(bytes([octet]))
        assert source.take() is None, "something came before its last octet"
    source.feed(octets[-1:])
    return source.take()


def read_with_trailing(new: Callable[[], Source[T]], octets: bytes) -> T | None:
    """Asserts that what lies behind stays untouched."""
    source = new()
    source.feed(octets + TRAILING)
    value = source.take()
    assert source.left() == TRAILING, "octets behind the value were touched"
    return value


def three_ways(new: Callable[[], Source[T]], octets: bytes) -> T | None:
    """The value, the same whichever way the octets came."""
    whole = read_whole(new, octets)
    assert read_by_octet(new, octets) == whole
    assert read_with_trailing(new, octets) == whole
    return whole
