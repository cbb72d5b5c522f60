"""A starting edge's side of the handover: it asks for doors, and later for the whole house.

Errors: StartError, when somebody is there who does not hand over. A predecessor that ends on
the way is no error: its doors are ours then.
"""

import contextlib
import socket
from pathlib import Path
from typing import Final

from edge_proxy.handover import messages
from edge_proxy.handover.knocker import knocked
from edge_proxy.handover.messages import NotUnderstood
from service_kit.errors import StartError

MOST_DOORS: Final = 1024
"""A predecessor that sends more is out of order."""


class Predecessor:
    """The edge that ran before; ``knocker`` is the socket it was found at."""

    def __init__(
        self, path: Path, line: socket.socket, doors: list[socket.socket], knocker: socket.socket
    ) -> None:
        self._path = path
        self._line = line
        self._word: bytes | None = None
        self.doors = doors
        self.knocker = knocker

    async def wait_word(self) -> None:
        """Returns when it has ended, or changed its mind: ``has_ended`` knows."""
        with contextlib.suppress(OSError):
            self._word, _ = await messages.hear(self._line, None)

    def has_ended(self) -> bool:
        """Whether it is gone by itself. Raises StartError: it is not, and said no."""
        if self._word not in (None, messages.LAST):
            raise _not_handed_over(self._path, NotUnderstood(f"said {self._word!r}"))
        return self._word is not None

    async def send_away(self) -> None:
        """Have it stop accepting. Raises StartError: it does not, and goes on as before."""
        try:
            messages.say(self._line, messages.READY)
            word, _ = await messages.hear(self._line, messages.WORD_WITHIN_S)
        except BrokenPipeError:
            return  # it has just ended
        except (TimeoutError, OSError) as wrong:
            raise _not_handed_over(self._path, wrong) from None
        if word not in (messages.YOURS, messages.LAST):
            raise _not_handed_over(self._path, NotUnderstood(f"said {word!r}"))

    def close(self) -> None:
        self._line.close()


async def find_predecessor(path: Path) -> Predecessor | None:
    """The edge that answers at ``path``, with its doors; None: nobody does, or it just ended."""
    line = knocked(path)
    if line is None:
        return None
    doors: list[socket.socket] = []
    with contextlib.ExitStack() as undo:
        undo.callback(line.close)
        undo.callback(_close, doors)
        try:
            if not await _collect(line, doors):
                return None
            knocker = next(each for each in doors if each.family == socket.AF_UNIX)
        except (NotUnderstood, TimeoutError, OSError, StopIteration) as wrong:
            raise _not_handed_over(path, wrong) from None
        undo.pop_all()
    doors.remove(knocker)
    return Predecessor(path, line, doors, knocker)


async def _collect(line: socket.socket, doors: list[socket.socket]) -> bool:
    """Whether all have come; False: it ended on the way."""
    if not messages.is_ours(line):
        raise NotUnderstood("belongs to another user")
    while len(doors) < MOST_DOORS:
        word, door = await messages.hear(line, messages.WORD_WITHIN_S)
        if door is not None:
            doors.append(door)
        if word in (messages.ALL, messages.LAST):
            return word == messages.ALL
        if word != messages.HELLO:
            raise NotUnderstood(f"said {word!r}")
    raise NotUnderstood(f"has more than {MOST_DOORS} doors")


def _close(doors: list[socket.socket]) -> None:
    for door in doors:
        door.close()


def _not_handed_over(path: Path, wrong: Exception) -> StartError:
    why = str(wrong) or type(wrong).__name__
    return StartError(
        f"[listen] handover = {path}: the edge there does not hand over ({why}); it goes on"
    )
