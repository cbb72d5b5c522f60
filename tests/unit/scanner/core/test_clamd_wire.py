"""clamd's octets: what we ask, and what we make of every answer."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.core.clamd_wire import (
    LARGEST_REPLY,
    SLICE_OCTETS,
    Outcome,
    StreamReader,
    StreamReply,
    VersionReader,
    instream,
)
from scanner.core.content import Content
from scanner.core.profile import EngineVersion
from scanner.core.replies import ReplyMalformed
from tests.unit.scanner.core.replies_three_ways import read_three_ways


def told(octets: bytes) -> bytes:
    """The content that a clamd would put together from an INSTREAM command."""
    verb = b"zINSTREAM\0"
    assert octets.startswith(verb)
    at, content = len(verb), b""
    while True:
        (length,) = struct.unpack_from(">I", octets, at)
        at += 4
        if length == 0:
            assert at == len(octets), "octets behind the end of the stream"
            return content
        content += octets[at : at + length]
        at += length


@pytest.mark.parametrize("size", [0, 1, SLICE_OCTETS, SLICE_OCTETS + 1, 3 * SLICE_OCTETS])
def test_content_of_any_size_arrives_whole(size: int) -> None:
    content = bytes(range(256)) * (size // 256 + 1)
    content = content[:size]
    for cut in (0, size // 3, size):
        pieces = content[:cut], memoryview(content)[cut:]
        assert told(b"".join(instream(Content.of(*pieces)))) == content


def test_small_content_is_one_buffer_and_large_content_is_not_copied() -> None:
    assert len(list(instream(Content.of(b"x" * 4000, b"x" * 1000)))) == 1
    large = b"x" * (2 * SLICE_OCTETS)
    views = [each for each in instream(Content.of(large)) if isinstance(each, memoryview)]
    assert [view.obj for view in views] == [large, large]
    assert views[0].obj is large


@pytest.mark.parametrize(
    ("octets", "reply"),
    [
        (b"7: stream: OK\0", StreamReply(Outcome.CLEAN)),
        (b"7: stream: Eicar-Test FOUND\0", StreamReply(Outcome.FOUND, "Eicar-Test")),
        (b"7: stream: A b c FOUND\0", StreamReply(Outcome.FOUND, "A b c")),
        (
            b"7: stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND\0",
            StreamReply(Outcome.LIMITS_EXCEEDED, "Heuristics.Limits.Exceeded.MaxFileSize"),
        ),
        (
            b"7: INSTREAM size limit exceeded. ERROR\0",
            StreamReply(Outcome.TOO_LARGE, "INSTREAM size limit exceeded. ERROR"),
        ),
        (b"7: stream: Can't read ERROR\0", StreamReply(Outcome.FAILED, "Can't read")),
        (
            b"7: COMMAND READ TIMED OUT ERROR\0",
            StreamReply(Outcome.FAILED, "COMMAND READ TIMED OUT"),
        ),
        (b"7: stream: \xffx\x1b FOUND\0", StreamReply(Outcome.FOUND, "\\xffx?")),
    ],
)
def test_every_answer_has_its_meaning(octets: bytes, reply: StreamReply) -> None:
    assert read_three_ways(lambda: StreamReader(7), octets) == reply


@pytest.mark.parametrize(
    "octets",
    [
        b"8: stream: OK\0",
        b"stream: OK\0",
        b"77: stream: OK\0",
        b"7: stream: OK \0",
        b"7: stream: OKAY\0",
        b"7: stream:  FOUND\0",
        b"7: Eicar FOUND\0",
        b"7: \0",
        b"\0",
        b"220 mx.example ESMTP\r\n\0",
    ],
)
def test_an_answer_that_is_none_is_malformed(octets: bytes) -> None:
    with pytest.raises(ReplyMalformed):
        StreamReader(7).feed(octets)


def test_an_answer_without_end_is_not_kept_for_ever() -> None:
    reader = StreamReader(1)
    assert reader.feed(b"x" * LARGEST_REPLY) is None
    with pytest.raises(ReplyMalformed):
        reader.feed(b"x")


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_no_octets_make_the_reader_fail_otherwise(slices: list[bytes]) -> None:
    reader = StreamReader(1)
    for octets in slices:
        try:
            reply = reader.feed(octets)
        except ReplyMalformed:
            return
        if reply is not None:
            return


@pytest.mark.parametrize(
    ("octets", "version"),
    [
        (b"ClamAV 1.4.6\0", EngineVersion("ClamAV 1.4.6")),
        (b"ClamAV 1.4.6/27800\0", EngineVersion("ClamAV 1.4.6", 27800)),
        (
            b"ClamAV 1.4.6/27800/Mon Nov 23 10:00:00 2026\0",
            EngineVersion("ClamAV 1.4.6", 27800, 1795428000.0),
        ),
        (
            b"ClamAV 1.4.6/27800/Sun Mar  1 00:00:01 2026\0",
            EngineVersion("ClamAV 1.4.6", 27800, 1772323201.0),
        ),
        (b"ClamAV 1.4.6/27800/Mon Xyz 23 10:00:00 2026\0", EngineVersion("ClamAV 1.4.6", 27800)),
        (b"ClamAV 1.4.6/27800/Mon Feb 31 10:00:00 2026\0", EngineVersion("ClamAV 1.4.6", 27800)),
    ],
)
def test_a_version_tells_the_database_when_clamd_does(
    octets: bytes, version: EngineVersion
) -> None:
    assert read_three_ways(VersionReader, octets) == version


@pytest.mark.parametrize("octets", [b"\0", b"UNKNOWN COMMAND\0", b"ClamAV \0", b"ClamAV 1/x/y\0"])
def test_what_is_no_version_is_malformed(octets: bytes) -> None:
    with pytest.raises(ReplyMalformed):
        VersionReader().feed(octets)
