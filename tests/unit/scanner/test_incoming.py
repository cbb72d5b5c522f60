"""The parts of a streamed scan, in every order but the right one."""

from collections.abc import AsyncIterator

import pytest

from scanner.admission import Admission, Overloaded
from scanner.core.content import Content
from scanner.incoming import LARGEST_PART, Incoming, receive
from smtpgated.common.v1 import mail_pb2
from smtpgated.scan.v1 import scan_pb2
from smtpgated_contracts.marshalling.errors import MalformedMessage

OPENING = scan_pb2.ScanPart(opening=scan_pb2.ScanOpening(transaction=3))
CLOSING = scan_pb2.ScanPart(
    closing=scan_pb2.ScanClosing(envelope=mail_pb2.Envelope(helo=b"me"), head_only=True)
)
NOTHING = scan_pb2.ScanPart()


def content(octets: bytes) -> scan_pb2.ScanPart:
    return scan_pb2.ScanPart(content=octets)


class Parts:
    """Says how many of its parts were read."""

    def __init__(self, *parts: scan_pb2.ScanPart) -> None:
        self._parts = parts
        self.read = 0

    async def __aiter__(self) -> AsyncIterator[scan_pb2.ScanPart]:
        for part in self._parts:
            self.read += 1
            yield part


async def received(parts: Parts, most: int = 100, held: int = 1000) -> Incoming:
    with Admission(1, held).admit() as place:
        return await receive(aiter(parts), place, most)


@pytest.mark.parametrize("pieces", [[], [b""], [b"whole"], [b"w", b"", b"hol", b"e"]])
async def test_content_is_what_the_parts_say_together(pieces: list[bytes]) -> None:
    came = await received(Parts(OPENING, *map(content, pieces), CLOSING))
    assert came.content == Content.of(*pieces)
    assert came.opening.transaction == 3
    assert came.closing is not None
    assert came.closing.head_only


@pytest.mark.parametrize(
    "parts",
    [
        (),
        (OPENING,),
        (OPENING, content(b"x")),
        (content(b"x"), CLOSING),
        (CLOSING,),
        (NOTHING,),
        (OPENING, OPENING, CLOSING),
        (OPENING, NOTHING, CLOSING),
        (OPENING, content(b"x"), CLOSING, content(b"y")),
        (OPENING, CLOSING, CLOSING),
    ],
)
async def test_any_other_sequence_is_malformed(parts: tuple[scan_pb2.ScanPart, ...]) -> None:
    with pytest.raises(MalformedMessage, match="part"):
        await received(Parts(*parts))


async def test_a_part_that_is_too_large_is_malformed() -> None:
    with pytest.raises(MalformedMessage, match="content"):
        await received(Parts(OPENING, content(b"x" * (LARGEST_PART + 1)), CLOSING), most=1 << 30)


async def test_content_at_the_limit_is_received() -> None:
    came = await received(Parts(OPENING, content(b"x" * 60), content(b"x" * 40), CLOSING))
    assert came.content == Content.of(b"x" * 60, b"x" * 40)


async def test_content_beyond_the_limit_is_not_read_on() -> None:
    parts = Parts(OPENING, content(b"x" * 60), content(b"x" * 41), content(b"x"), CLOSING)
    came = await received(parts)
    assert came.content is None
    assert came.opening.transaction == 3
    assert parts.read == 3


async def test_content_that_all_scans_together_may_not_hold_is_refused() -> None:
    with pytest.raises(Overloaded):
        await received(Parts(OPENING, content(b"x" * 60), CLOSING), held=59)
