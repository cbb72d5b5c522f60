"""Where the far server's content ends, however it is cut into slices."""

import pytest

from lab.far_server.content import ChunkReader, Content, DataReader

CASES = [
    pytest.param(b"one\r\ntwo\r\n.\r\n", b"one\r\ntwo\r\n", b"one\r\ntwo\r\n", id="plain"),
    pytest.param(b".\r\n", b"", b"", id="empty"),
    pytest.param(b"..a\r\n...\r\n.\r\n", b"..a\r\n...\r\n", b".a\r\n..\r\n", id="stuffed"),
    pytest.param(b"a\n.\nb\r\n.\r\n", b"a\n.\nb\r\n", b"a\n.\nb\r\n", id="bare-lf-is-content"),
    pytest.param(b"a\r.\rb\r\n.\r\n", b"a\r.\rb\r\n", b"a\r.\rb\r\n", id="bare-cr-is-content"),
    pytest.param(b"a\n.\r\nb\r\n.\r\n", b"a\n.\r\nb\r\n", b"a\n.\r\nb\r\n", id="lf-dot-crlf"),
]


@pytest.mark.parametrize(("octets", "wire", "content"), CASES)
@pytest.mark.parametrize("behind", [b"", b"MAIL FROM:<>\r\n"])
def test_every_cut_gives_the_same_content_and_leaves_what_is_behind(
    octets: bytes, wire: bytes, content: bytes, behind: bytes
) -> None:
    for cut in range(len(octets)):
        reader = DataReader(limit_octets=1000)
        assert reader.read(octets[:cut]) is None
        assert reader.read(octets[cut:] + behind) == (Content(wire, content), behind)


def test_octet_by_octet_ends_with_the_last_one_only() -> None:
    octets = b"a\r\n..\r\n.\r\n"
    reader = DataReader(limit_octets=1000)
    for at in range(len(octets) - 1):
        assert reader.read(octets[at : at + 1]) is None
    assert reader.read(octets[-1:]) == (Content(b"a\r\n..\r\n", b"a\r\n.\r\n"), b"")


def test_content_over_the_limit_is_forgotten_but_its_end_is_still_seen() -> None:
    reader = DataReader(limit_octets=10)
    assert reader.read(b"a" * 30) is None
    assert reader.read(b"\r\n.\r\nQUIT\r\n") == (Content(b"", b""), b"QUIT\r\n")
    assert reader.too_large


def test_chunk_takes_exactly_its_octets() -> None:
    reader = ChunkReader(5)
    assert reader.read(b"ab") is None
    assert reader.read(b"\r\n.\r\n") == (b"ab\r\n.", b"\r\n")
