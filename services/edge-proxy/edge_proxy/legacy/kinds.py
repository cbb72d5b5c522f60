"""How the old program read values. A reader returns the value, or raises ValueError saying what
would be right.

Integers are C's ``%i``: decimal, 0x hexadecimal, 0 octal, and whatever follows is ignored, so
``10k`` is 10. It is unkind, but it is what was in force.
"""

import re
from collections.abc import Callable, Mapping
from ipaddress import AddressValueError, IPv4Address
from typing import Final

from service_kit.addresses import HostPort, UnixOrTcp

Value = str | int | float | bool | frozenset[str]
Reader = Callable[[str], Value]

_INTEGER: Final = re.compile(r"([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)")
_REAL: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_HIGHEST_PORT: Final = 65_535
_INT_BITS: Final = 32
_WRAPS_AT: Final = 1 << _INT_BITS
_LONGEST_NUMBER: Final = 30
"""Digits; no number of C's has as many, and Python would read millions."""


def text(given: str) -> str:
    return given


def integer(given: str) -> int:
    """Of 32 bits; what does not fit is the nearest that does."""
    found = _INTEGER.match(given)
    if found is None or len(found[0]) > _LONGEST_NUMBER:
        raise ValueError("should be a whole number")
    digits = found[2].lower()
    base = 16 if digits.startswith("0x") else 8 if digits.startswith("0") else 10
    number = int(digits.removeprefix("0x"), base) * (-1 if found[1] == "-" else 1)
    return min(max(number, -_WRAPS_AT // 2), _WRAPS_AT - 1)


def unsigned(given: str) -> int:
    """A negative one wraps round, as it did."""
    return integer(given) % _WRAPS_AT


def octal(given: str) -> int:
    if not re.fullmatch(r"[0-7]{1,6}", given):
        raise ValueError("should be an octal number")
    return int(given, 8)


def real(given: str) -> float:
    found = _REAL.match(given)
    if found is None or abs(number := float(found[0])) > 1e12:  # noqa: PLR2004 - above any sense
        raise ValueError("should be a number")
    return number


def boolean(given: str) -> bool:
    word = given.lower()
    if word not in ("1", "yes", "on", "0", "no", "off"):
        raise ValueError("should be yes or no")
    return word in ("1", "yes", "on")


def port(given: str) -> int:
    number = integer(given)
    if not 1 <= number <= _HIGHEST_PORT:
        raise ValueError("should be a port from 1 to 65535")
    return number


def ipv4(given: str) -> str:
    try:
        return str(IPv4Address(given))
    except AddressValueError:
        raise ValueError("should be an IPv4 address") from None


def socket(given: str) -> str:
    """``/path`` or ``a.b.c.d:port``."""
    if not given.startswith("/"):
        ipv4(given.rpartition(":")[0])
        HostPort.parse(given)
    return str(UnixOrTcp.parse(given))


def one_of(*words: str, numbers: Mapping[int, str] | None = None) -> Reader:
    """One word; ``numbers`` are the integers that stand for one, as far as they are known."""

    def read(given: str) -> str:
        if given in words:
            return given
        if numbers and given.isascii() and given.isdecimal() and len(given) < _INT_BITS:
            known = numbers.get(int(given))
            if known is not None:
                return known
        raise ValueError(f"should be one of {', '.join(words)}")

    return read


def some_of(*words: str, bits: Mapping[int, str] | None = None) -> Reader:
    """Words with commas between; a blank may stand behind a comma, not before it.

    ``bits``: any integer is a sum of these.
    """

    def read(given: str) -> frozenset[str]:
        if bits is not None and _INTEGER.fullmatch(given):
            number = integer(given)
            return frozenset(word for bit, word in bits.items() if number & bit)
        found = [word.lstrip(" \t") for word in given.split(",")]
        if not set(found) <= set(words):
            raise ValueError(f"should be of {', '.join(words)}, with commas between")
        return frozenset(found)

    return read
