"""Numbers of ioctls that read and write a structure, as the BSDs and illumos make them.

sys/ioccom.h: direction, size of the structure, group and number in 32 bits. (Linux packs them
otherwise.) ``Ioctl`` is the call itself, so that tests can stand in for a kernel.
"""

import fcntl
from collections.abc import Callable
from typing import Final, TypeAlias

Ioctl: TypeAlias = Callable[[int, int, bytearray], object]
"""Descriptor, number, structure: it is written over with the answer. Raises OSError."""

_IN_AND_OUT: Final = 0xC000_0000
_LARGEST: Final = 0x1FFF


def iowr(group: bytes, number: int, size: int) -> int:
    """``_IOWR(group, number, structure of so many octets)``."""
    assert size <= _LARGEST, f"{size} octets do not fit"
    return _IN_AND_OUT | size << 16 | ord(group) << 8 | number


def kernel_ioctl(descriptor: int, number: int, structure: bytearray) -> object:
    return fcntl.ioctl(descriptor, number, structure, True)  # noqa: FBT003 - fcntl's own way
