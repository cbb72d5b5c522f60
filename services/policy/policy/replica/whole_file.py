"""A file that is always whole: written beside the old one, synced and renamed over it.

A crash leaves the old one or the new one, never a half. Mode 0600, the folder 0700. Blocking.
Errors: OSError; the old file stays.
"""

import os
from collections.abc import Iterable
from pathlib import Path


def write_whole(path: Path, parts: Iterable[bytes]) -> None:
    fresh = path.with_suffix(".new")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(fresh, "wb", opener=_private) as file:
        for part in parts:
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_TRUNC, mode=0o600)
