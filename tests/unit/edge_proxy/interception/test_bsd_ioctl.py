"""Numbers of ioctls, against those that C compilers on these systems gave."""

import os
from pathlib import Path

import pytest

from edge_proxy.interception.bsd_ioctl import iowr, kernel_ioctl


def test_known_numbers() -> None:
    assert iowr(b"D", 23, 76) == 0xC04C4417  # DIOCNATLOOK, FreeBSD
    assert iowr(b"D", 23, 80) == 0xC0504417  # DIOCNATLOOK, OpenBSD
    assert iowr(b"r", 63, 56) == 0xC038723F  # SIOCGNATL, 64 bits


def test_a_structure_has_a_largest_size() -> None:
    with pytest.raises(AssertionError, match="8192 octets do not fit"):
        iowr(b"D", 23, 8192)


def test_a_kernel_that_does_not_know_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "no-device").touch()
    descriptor = os.open(tmp_path / "no-device", os.O_RDONLY)
    try:
        with pytest.raises(OSError, match="ioctl"):
            kernel_ioctl(descriptor, iowr(b"D", 23, 76), bytearray(76))
    finally:
        os.close(descriptor)
