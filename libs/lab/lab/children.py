"""Processes the lab starts: each known by its pid, with its output in a file, none left behind.

A child has a session of its own, so that a terminal's Ctrl-C reaches the lab alone, which then
stops its children in order. Where util-linux's ``setpriv`` is at hand, the kernel kills the child
when the thread that started it ends: so start children from a thread that stays.
"""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_TAIL_OCTETS: Final = 16_384
_KILLED_WITHIN_S: Final = 10.0


class ChildEndedError(Exception):
    """A child ended that should have stayed; the text names it and shows the end of its log."""

    def __init__(self, child: "Child") -> None:
        super().__init__(
            f"{child.name} {child.how_it_ended}; the end of {child.log}:\n{child.log_tail()}"
        )
        self.child = child


class Child:
    """One process, running from the moment this exists."""

    def __init__(self, name: str, command: Sequence[str], log: Path) -> None:
        self.name: Final = name
        self.log: Final = log
        with log.open("ab") as output:
            self._process: Final = subprocess.Popen(
                (*_dies_with_its_parent(), *command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its process id, which is its group's id too."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; minus the signal's number when a signal ended it."""
        return self._process.poll()

    @property
    def how_it_ended(self) -> str:
        """For a person."""
        code = self.exit_code
        if code is None:
            return "is running"
        if code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"

    def terminate(self) -> None:
        """Ask it to end."""
        if self.exit_code is None:
            self._process.terminate()

    def send(self, number: signal.Signals) -> None:
        """Any other signal, e.g. SIGSTOP."""
        self._process.send_signal(number)

    def kill(self) -> int:
        """End it and all of its group now; its exit code."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        return self._process.wait(_KILLED_WITHIN_S)

    def log_tail(self, lines: int = 12) -> str:
        """The last lines it wrote."""
        with self.log.open("rb") as written:
            written.seek(max(0, self.log.stat().st_size - _TAIL_OCTETS))
            text = written.read().decode("utf-8", "backslashreplace")
        return "\n".join(text.splitlines()[-lines:])


def _dies_with_its_parent() -> tuple[str, ...]:
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return ()
    # The parent can be gone before the kernel knows whose end to wait for: hence the shell,
    # which looks once more and then becomes the child.
    look = 'test "$PPID" = "$0" && exec "$@"'
    return (setpriv, "--pdeathsig", "KILL", "sh", "-c", look, str(os.getpid()))
