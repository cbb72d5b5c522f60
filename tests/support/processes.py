"""Looking at processes from outside, and waiting for what they do."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

PATIENCE_S: Final = 30.0
_BETWEEN_S: Final = 0.01


def until(is_so: Callable[[], bool], within_s: float = PATIENCE_S) -> None:
    """``eventually`` for fixtures that outlive a loop."""
    deadline = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(f"still not so after {within_s} s")
        time.sleep(_BETWEEN_S)


def is_gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has reaped yet has."""
    try:
        return " Z " in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return True


def resident_octets(pid: int) -> int:
    """RSS of a process."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


def children(pid: int) -> list[int]:
    """Processes this one started and has not yet seen end, their children too."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text(encoding="ascii").split()):
            found += [child, *children(child)]
    return found
