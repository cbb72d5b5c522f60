"""Content as the pieces it came in, one behind the other: what every engine is given.

A large message arrives in parts, and every engine takes octets in as many writes as one likes.
So the parts are kept as they are and handed on as they are: whoever looked for one buffer
would make a second copy of the message, and a third for the next engine.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self, TypeAlias

Piece: TypeAlias = bytes | memoryview


@dataclass(frozen=True, slots=True)
class Content:
    """``pieces``: none of them empty; ``size_octets``: of all together."""

    pieces: tuple[Piece, ...]
    size_octets: int

    @classmethod
    def of(cls, *pieces: Piece) -> Self:
        kept = tuple(filter(len, pieces))
        return cls(kept, sum(map(len, kept)))

    def slices(self, most_octets: int) -> Iterator[Piece]:
        """The pieces again, those beyond ``most_octets`` cut. Nothing is copied."""
        for piece in self.pieces:
            if len(piece) <= most_octets:
                yield piece
                continue
            whole = memoryview(piece)
            for start in range(0, len(whole), most_octets):
                yield whole[start : start + most_octets]
