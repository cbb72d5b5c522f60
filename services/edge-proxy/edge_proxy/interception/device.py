"""The device of a packet filter, at the start: is this its system, and may we open it?

Errors: StartError.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from service_kit.errors import StartError

System = TypeVar("System")


def system_of(platform: str, systems: Mapping[str, System], mode: str) -> System:
    """What belongs to ``platform`` (``sys.platform``: a name, on FreeBSD with its version)."""
    for name, system in systems.items():
        if platform.startswith(name):
            return system
    known = " or ".join(systems)
    raise StartError(
        f"destination.mode = {mode} needs {known}, and this is {platform}"
        + ("; use redirect or tproxy" if platform == "linux" else "")
    )


def opened(device: Path, mode: str) -> int:
    """A descriptor for reading; it stays open as long as the process."""
    try:
        return os.open(device, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise StartError(
            f"destination.{mode}.device = {device}: {error.strerror};"
            " the edge's user must be able to read it"
        ) from None
