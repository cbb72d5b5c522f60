"""A file that is whole or the old one."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from policy.replica.whole_file import write_whole


def test_it_is_written_for_its_owner_alone_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "made" / "copy.json"
    write_whole(path, [b"one ", b"two"])
    assert path.read_bytes() == b"one two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_what_fails_in_the_middle_leaves_the_old_one(tmp_path: Path) -> None:
    def failing() -> Iterator[bytes]:
        yield b"half"
        raise OSError("full")

    path = tmp_path / "copy.json"
    write_whole(path, [b"old"])
    with pytest.raises(OSError, match="full"):
        write_whole(path, failing())
    assert path.read_bytes() == b"old"
