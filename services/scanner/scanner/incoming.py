"""The parts of one streamed scan, in the order the contract wants: opening, content…, closing.

Content is kept once, in the parts it came in, and these are what the engines are given. It is
kept no further than the limit: content beyond it is answered at once, unread.

Errors: MalformedMessage for a sequence the contract does not allow; Overloaded.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from scanner.admission import Place
from scanner.core.content import Content
from smtpgated.scan.v1 import scan_pb2
from smtpgated_contracts.marshalling.errors import MalformedMessage

LARGEST_PART: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Incoming:
    """``content`` and ``closing`` are None when the content is longer than the limit."""

    opening: scan_pb2.ScanOpening
    content: Content | None
    closing: scan_pb2.ScanClosing | None


async def receive(
    parts: AsyncIterator[scan_pb2.ScanPart], place: Place, most_octets: int
) -> Incoming:
    """Returns behind the closing part, or at the octet that is one too many."""
    opening = await _opening(parts)
    pieces: list[bytes] = []
    held = 0
    async for part in parts:
        kind = part.WhichOneof("part")
        if kind == "closing":
            await _nothing_more(parts)
            return Incoming(opening, Content.of(*pieces), part.closing)
        if kind != "content":
            raise MalformedMessage(f"part: {kind or 'nothing'} where content or closing must be")
        octets = part.content
        if len(octets) > LARGEST_PART:
            raise MalformedMessage(f"content: {len(octets)} octets in one part")
        held += len(octets)
        if held > most_octets:
            return Incoming(opening, None, None)
        place.hold(len(octets))
        pieces.append(octets)
    raise MalformedMessage("part: the stream ended before closing")


async def _opening(parts: AsyncIterator[scan_pb2.ScanPart]) -> scan_pb2.ScanOpening:
    async for part in parts:
        if part.WhichOneof("part") != "opening":
            break
        return part.opening
    raise MalformedMessage("part: the first one must be the opening")


async def _nothing_more(parts: AsyncIterator[scan_pb2.ScanPart]) -> None:
    async for _ in parts:
        raise MalformedMessage("part: something behind closing")
