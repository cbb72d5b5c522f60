"""Rule files as they are on disk: what they say, and whether they have changed since.

Read once for all worker processes, so that all of them, and one that replaces another later,
judge by the same rules whatever happens to the files. A source is a rule file, a folder (its
*.yar and *.yara files, not those of folders in it), or BUILTIN.

Errors: RulesUnusable. Bounds: MOST_OCTETS over all files.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path
from typing import Final

BUILTIN: Final = "builtin"
MOST_OCTETS: Final = 64 * 1024 * 1024
_SUFFIXES: Final = frozenset({".yar", ".yara"})


class RulesUnusable(Exception):  # noqa: N818 - the state of the rules
    """A rule file cannot be read, or a rule in it cannot be used: says which and why."""


@dataclass(frozen=True, slots=True)
class RuleTexts:
    """``texts``: name and text of each file, in order. ``edition``: eight digits that stand
    for all of it."""

    texts: tuple[tuple[str, str], ...]
    edition: str


@dataclass(frozen=True, slots=True)
class Stamp:
    """What changes when a file does, or when another takes its place."""

    path: str
    size_octets: int
    changed_ns: int
    inode: int


def read(sources: Sequence[str]) -> RuleTexts:
    """Blocks, for as long as the disk does."""
    texts: list[tuple[str, str]] = []
    left = MOST_OCTETS
    for source in sources:
        for path in _files(source):
            octets = _octets(path, left)
            left -= len(octets)
            # The builtin rules lie elsewhere on each machine; their name is the same on all.
            name = BUILTIN if source == BUILTIN else str(path)
            texts.append((name, _text(name, octets)))
    digest = blake2b(repr(texts).encode(), digest_size=4)
    return RuleTexts(tuple(texts), digest.hexdigest())


def stamps(sources: Sequence[str]) -> frozenset[Stamp]:
    """Of all files there are now; what cannot be looked at has none. Blocks for a moment."""
    return frozenset(_stamps(sources))


def _stamps(sources: Sequence[str]) -> Iterator[Stamp]:
    for source in sources:
        try:
            for path in _files(source):
                found = path.stat()
                yield Stamp(str(path), found.st_size, found.st_mtime_ns, found.st_ino)
        except (OSError, RulesUnusable):
            continue


def _files(source: str) -> list[Path]:
    if source == BUILTIN:
        return [Path(str(files("scanner.engines") / "rules" / "builtin.yar"))]
    path = Path(source)
    if not path.is_dir():
        return [path]
    try:
        return sorted(each for each in path.iterdir() if each.suffix in _SUFFIXES)
    except OSError as wrong:
        raise RulesUnusable(f"{source}: cannot be read: {wrong.strerror}") from None


def _octets(path: Path, left: int) -> bytes:
    try:
        with path.open("rb") as file:
            octets = file.read(left + 1)
    except OSError as wrong:
        raise RulesUnusable(f"{path}: cannot be read: {wrong.strerror}") from None
    if len(octets) > left:
        raise RulesUnusable(f"{path}: with it there are more than {MOST_OCTETS} octets of rules")
    return octets


def _text(name: str, octets: bytes) -> str:
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        raise RulesUnusable(f"{name}: not UTF-8 text") from None
