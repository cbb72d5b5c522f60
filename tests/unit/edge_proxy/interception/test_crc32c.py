"""CRC32c against the examples of RFC 3720 appendix B.4 and the usual check value."""

import pytest

from edge_proxy.interception.crc32c import crc32c


@pytest.mark.parametrize(
    ("octets", "checksum"),
    [
        (b"", 0x00000000),
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(reversed(range(32))), 0x113FDB5C),
    ],
)
def test_known_checksums(octets: bytes, checksum: int) -> None:
    assert crc32c(octets) == checksum
