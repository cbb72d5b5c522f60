"""The folder that clamd loads and freshclam fills: which edition lies there now.

An edition is the number of each container and the content of each other database file: a
daily.cld that freshclam patched and the daily.cvd of the same number are one edition, so that
replicas with folders of their own agree. While files change there is none: half of a copy is
nothing to load.

Errors: OSError, when the folder cannot be read. Bounds: MOST_PROBES; files are read in slices.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

from scanner.core.clamd_database import (
    CONTAINERS,
    HEADER_OCTETS,
    PLAIN,
    Probe,
    last_probe,
    malformed,
    number_of,
)

MOST_PROBES: Final = 8
_TAIL_OCTETS: Final = 64 * 1024
_SLICE_OCTETS: Final = 1024 * 1024
_Stamp = tuple[str, int, int, int]


@dataclass(frozen=True, slots=True)
class Edition:
    """``digits`` stand for all of it. ``number``: that of daily, which clamd tells; None
    without. ``probes``: signatures of other files that can be tried. ``malformed``: why no clamd
    would load it, as far as that can be seen from outside."""

    digits: str
    number: int | None = None
    probes: tuple[Probe, ...] = ()
    malformed: str = ""


class Folder:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamps: frozenset[_Stamp] = frozenset()
        self._edition: Edition | None = None

    def look(self) -> Edition | None:
        """Blocks. None: it has changed since the last look, and may still be changing."""
        files = sorted(self._files())
        stamps = frozenset(map(_stamp, files))
        if stamps != self._stamps:
            self._stamps, self._edition = stamps, None
            return None
        if self._edition is None:
            edition = _edition(files)
            if frozenset(map(_stamp, files)) != stamps:
                return None
            self._edition = edition
        return self._edition

    def _files(self) -> Iterator[Path]:
        for path in self._path.iterdir():
            if path.suffix in CONTAINERS | PLAIN and path.is_file():
                yield path


def _stamp(path: Path) -> _Stamp:
    found = path.stat()
    return path.name, found.st_size, found.st_mtime_ns, found.st_ino


def _edition(files: list[Path]) -> Edition:
    digest = blake2b(digest_size=4)
    numbers: dict[str, int] = {}
    probes: list[Probe] = []
    wrong = ""
    for path in files:
        number = number_of(_head(path)) if path.suffix in CONTAINERS else None
        if number is not None:
            numbers[path.stem] = max(number, numbers.get(path.stem, 0))
            continue
        digest.update(os.fsencode(path.name) + b"\0" + _digest(path))
        if path.suffix == ".ndb":
            lines = _tail(path)
            if len(probes) < MOST_PROBES and (probe := last_probe(lines)):
                probes.append(probe)
            if not wrong and (seen := malformed(lines)):
                wrong = f"{path.name}: {seen}"
    digest.update(repr(sorted(numbers.items())).encode())
    return Edition(digest.hexdigest(), numbers.get("daily"), tuple(probes), wrong)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEADER_OCTETS)


def _tail(path: Path) -> bytes:
    """The last whole lines."""
    with path.open("rb") as file:
        start = max(0, path.stat().st_size - _TAIL_OCTETS)
        file.seek(start)
        octets = file.read(_TAIL_OCTETS)
    return octets.partition(b"\n")[2] if start else octets


def _digest(path: Path) -> bytes:
    digest = blake2b(digest_size=16)
    with path.open("rb") as file:
        while octets := file.read(_SLICE_OCTETS):
            digest.update(octets)
    return digest.digest()
