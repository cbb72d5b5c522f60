"""The copy on disk: whole or not there."""

import stat
from pathlib import Path

import pytest

from policy.core.exemptions import Exemption
from policy.core.farm import Picture, StoredRulebook
from policy.replica.disk_copy import DiskCopy
from tests.contract.policy.samples import lock

PICTURE = Picture(
    7,
    StoredRulebook(2, "schema = 1\n# żółw\n"),
    (lock(), lock("auth:x", 9)),
    (Exemption("auth:y"),),
)


def test_what_was_written_is_read_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    copy = DiskCopy(tmp_path / "made" / "by us")
    assert copy.read() is None
    assert copy.write(PICTURE)
    assert copy.read() == PICTURE
    (file,) = (tmp_path / "made" / "by us").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_writing_again_replaces_the_copy(tmp_path: Path) -> None:
    copy = DiskCopy(tmp_path)
    copy.write(PICTURE)
    copy.write(Picture())
    assert copy.read() == Picture()


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff", b"[]", b'{"locks": [{"subject": "nobody", "cause": "x"}]}'],
    ids=repr,
)
def test_a_copy_that_cannot_be_read_is_put_aside(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "farm.json"
    file.write_bytes(content)
    copy = DiskCopy(tmp_path)
    assert copy.read() is None
    assert (tmp_path / "farm.unreadable").read_bytes() == content
    assert copy.write(PICTURE)
    assert copy.read() == PICTURE


def test_a_copy_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    copy = DiskCopy(tmp_path)
    copy.write(PICTURE)
    (tmp_path / "farm.new").mkdir()
    assert not copy.write(Picture())
    assert copy.read() == PICTURE
