"""The words two edges exchange over the handover socket, one datagram each.

    predecessor                               successor
    HELLO, once a door, with its descriptor
    ALL
                                              READY   seconds later: it has seen the rulebook
    YOURS, and accepts nothing more
    or NO, and goes on as before

A predecessor that closes without a word has died, and its doors are the successor's.
SOCK_SEQPACKET keeps the borders of datagrams and tells of a peer's end; descriptors travel as
SCM_RIGHTS (unix(7)). Errors: NotUnderstood for what is not due, TimeoutError, OSError.
"""

import asyncio
import os
import socket
import struct
from typing import Final

HELLO: Final = b"smtp-gated handover 1"
"""Its number changes when an older edge could not follow."""
ALL: Final = b"all"
READY: Final = b"ready"
YOURS: Final = b"yours"
NO: Final = b"no"
LAST: Final = b""
"""Heard from a peer that has ended."""

WORD_WITHIN_S: Final = 5.0
"""For words that are said without waiting for anything."""
_LONGEST_OCTETS: Final = 64
_CREDENTIALS: Final = struct.Struct("3i")


class NotUnderstood(Exception):  # noqa: N818 - a finding about the peer
    """The other side said something else than what was due."""


def line() -> socket.socket:
    """One end of a handover, neither bound nor connected yet."""
    end = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    end.settimeout(0)
    return end


def peer(connection: socket.socket) -> tuple[int, int]:
    """Process and user at the other end, as the kernel knows them (SO_PEERCRED)."""
    size = _CREDENTIALS.size
    octets = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    process, user, _group = _CREDENTIALS.unpack(octets)
    return process, user


def is_ours(connection: socket.socket) -> bool:
    """Whether the peer runs as the same user as we do."""
    return peer(connection)[1] == os.geteuid()


def say(connection: socket.socket, word: bytes, door: socket.socket | None = None) -> None:
    """Never waits: the few words of a handover fit into the buffer, or the peer is stuck."""
    if door is None:
        connection.send(word)
    else:
        socket.send_fds(connection, [word], [door.fileno()])


async def hear(
    connection: socket.socket, within_s: float | None
) -> tuple[bytes, socket.socket | None]:
    """The next word (``LAST``: none will come), and the door that came with it."""
    async with asyncio.timeout(within_s):
        await _readable(connection)
    try:
        word, descriptors, _flags, _address = socket.recv_fds(connection, _LONGEST_OCTETS, 1)
    except ConnectionResetError:  # it has ended without having read all we said
        return LAST, None
    doors = [socket.socket(fileno=each) for each in descriptors]
    for door in doors:
        door.settimeout(0)
        door.set_inheritable(False)  # recv_fds does not pass MSG_CMSG_CLOEXEC on
    return word, doors[0] if doors else None


async def expect(connection: socket.socket, due: bytes, within_s: float | None) -> None:
    """That word and no other."""
    word, door = await hear(connection, within_s)
    if door is not None:
        door.close()
    if word != due:
        raise NotUnderstood(f"said {word!r} where {due!r} was due" if word else "has ended")


async def _readable(connection: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    loop.add_reader(connection.fileno(), told.set)
    try:
        await told.wait()
    finally:
        loop.remove_reader(connection.fileno())
