"""What a process has used: CPU from its own accounting, memory as it stands (proc(5))."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """User and system seconds of a process and of the children it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(fields[index]) for index in (11, 12, 13, 14)) / _TICKS_PER_S


def rss_mib(pid: int) -> float:
    """Resident memory now."""
    return _status_mib(pid, "VmRSS")


def peak_rss_mib(pid: int) -> float:
    """The most resident memory there was so far."""
    return _status_mib(pid, "VmHWM")


def _status_mib(pid: int, name: str) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) / 1024


@dataclass(frozen=True, slots=True)
class Machine:
    """What the figures were measured on."""

    cores: int
    model: str
    memory_gib: float
    kernel: str

    @classmethod
    def here(cls) -> "Machine":
        cpu = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.split(":", 1)[1].strip() for line in cpu if "model name" in line), "?")
        memory = Path("/proc/meminfo").read_text().split()[1]
        return cls(os.cpu_count() or 1, model, int(memory) / 1024**2, os.uname().release)

    def __str__(self) -> str:
        return f"{self.cores} cores of {self.model}, {self.memory_gib:.0f} GiB, Linux {self.kernel}"
