"""One run of a program: spawned into a group of its own, looked after until it has ended."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping
from typing import Final

LOGGED_OCTETS: Final = 4096
LOGGED_LINES: Final = 32
REAP_S: Final = 2.0
"""A killed process is gone at once, unless it is stuck in the kernel."""
_LOOK_S: Final = 0.05
_SLICE: Final = 65_536
_STDIN, _STDOUT, _STDERR = 0, 1, 2


def spawned(command: tuple[str, ...], variables: Mapping[str, str], output: int) -> int:
    """The process id, which is that of its group, too. Raises OSError.

    Not fork: gRPC has threads here, and after a fork with them under way the child aborts, or
    this process hangs. posix_spawn runs nothing between the two (seen with grpcio 1.85).
    """
    return os.posix_spawn(
        command[0],
        command,
        variables,
        file_actions=(
            (os.POSIX_SPAWN_OPEN, _STDIN, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, output, _STDOUT),
            (os.POSIX_SPAWN_DUP2, output, _STDERR),
        ),
        setpgroup=0,
        setsigmask=(),
        setsigdef=(signal.SIGPIPE, signal.SIGXFSZ),  # Python ignores them; programs do not
    )


async def ended_with(pid: int) -> int:
    """Its exit code; negative: the signal. By looking: no watcher of a loop's knows of it."""
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)  # noqa: ASYNC222 - does not wait
        if ended:
            return os.waitstatus_to_exitcode(status)
        await asyncio.sleep(_LOOK_S)


async def kill(pid: int) -> None:
    """The script and what it started, as far as that stayed in its group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(REAP_S):
            await ended_with(pid)


class Output:
    """A pipe of our own, so that a script's child that outlives it is not waited for.

    ``with`` it: the end that the script is to write to, closed here afterwards.
    """

    def __init__(self) -> None:
        self.kept = b""
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._read, self._take)

    def __enter__(self) -> int:
        return self._write

    def __exit__(self, *_: object) -> None:
        os.close(self._write)

    @property
    def lines(self) -> list[bytes]:
        return self.kept.splitlines()[:LOGGED_LINES]

    def close(self) -> None:
        self._take()
        self._loop.remove_reader(self._read)
        os.close(self._read)

    def _take(self) -> None:
        try:
            octets = os.read(self._read, _SLICE)
        except BlockingIOError:
            return
        if not octets:
            self._loop.remove_reader(self._read)
        self.kept += octets[: LOGGED_OCTETS - len(self.kept)]
