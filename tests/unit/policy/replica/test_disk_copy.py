"""The copy on disk: whole or not there."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from policy.core.exemptions import Exemption
from policy.core.farm import Picture, StoredRulebook
from policy.core.identities import NetworkIdentity
from policy.core.overrides import Override, OwnLimit
from policy.replica.disk_copy import DiskCopy
from tests.contract.policy.samples import lock

PICTURE = Picture(
    7,
    StoredRulebook(2, "schema = 1\n# żółw\n"),
    (lock(), lock("auth:x", 9)),
    (Exemption("auth:y"),),
    overrides=(Override("identity:joe", (OwnLimit("hourly", 9), OwnLimit("daily", None))),),
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


ENTRIES = tuple(
    NetworkIdentity(f"10.0.{at // 250}.{at % 250}", f"s-{at}", at) for at in range(2500)
)


def test_identities_have_a_file_of_their_own_and_come_back_with_the_rest(tmp_path: Path) -> None:
    copy = DiskCopy(tmp_path)
    copy.write(replace(PICTURE, identities=ENTRIES[:3]))
    assert copy.read() == PICTURE
    assert copy.write_identities(ENTRIES)
    assert copy.read() == replace(PICTURE, identities=ENTRIES)
    assert stat.S_IMODE((tmp_path / "identities.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "content", [b"{", b"\xff", b'[{"network": "nowhere", "identity": "joe"}]'], ids=repr
)
def test_identities_that_cannot_be_read_are_put_aside_and_the_rest_is_read(
    tmp_path: Path, content: bytes
) -> None:
    copy = DiskCopy(tmp_path)
    copy.write(PICTURE)
    (tmp_path / "identities.json").write_bytes(content)
    assert copy.read() == PICTURE
    assert (tmp_path / "identities.unreadable").read_bytes() == content
