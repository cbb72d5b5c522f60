"""Which edition lies in clamd's folder, and when there is none."""

import shutil
from pathlib import Path

import pytest

from scanner.core.clamd_database import Probe
from scanner.signatures.folder import MOST_PROBES, Edition, Folder
from tests.support.signatures import put_daily, put_own

OWN = b"a signature of our own"


def settled(path: Path) -> Edition:
    folder = Folder(path)
    assert folder.look() is None, "seen for the first time: it may be changing"
    edition = folder.look()
    assert edition is not None
    return edition


def test_an_edition_has_the_number_of_daily_and_probes_of_own_files(tmp_path: Path) -> None:
    put_daily(tmp_path, 27500, {"Daily": b"what daily knows"})
    put_own(tmp_path, {"Older": b"an older one of ours", "Own": OWN})
    edition = settled(tmp_path)
    assert edition.number == 27500
    assert edition.probes == (Probe("Own", OWN),)
    assert len(edition.digits) == 8


def test_while_files_change_there_is_no_edition(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for number in (1, 2, 3):
        put_daily(tmp_path, number, {})
        assert folder.look() is None
    edition = folder.look()
    assert edition is not None
    assert edition.number == 3
    assert folder.look() is edition, "read once"


def test_one_number_is_one_edition_whatever_the_file_looks_like(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    put_daily(one, 5, {"A": b"one way to pack it"})
    put_daily(other, 5, {})
    (other / "daily.cud").rename(other / "daily.cld")
    assert settled(one).digits == settled(other).digits
    put_daily(other, 6, {})
    assert settled(one).digits != settled(other).digits
    assert settled(other).number == 6, "the newer of two"


def test_what_own_files_say_and_what_they_are_called_is_part_of_it(tmp_path: Path) -> None:
    put_own(tmp_path, {"Own": OWN})
    first = settled(tmp_path).digits
    put_own(tmp_path, {"Own": OWN + b" changed"})
    second = settled(tmp_path).digits
    shutil.move(tmp_path / "own.ndb", tmp_path / "mine.ndb")
    assert len({first, second, settled(tmp_path).digits}) == 3


def test_what_clamd_does_not_load_is_none_of_ours(tmp_path: Path) -> None:
    put_own(tmp_path, {"Own": OWN})
    before = settled(tmp_path)
    (tmp_path / "freshclam.dat").write_bytes(b"notes")
    (tmp_path / "tmp.0123abcd").mkdir()
    (tmp_path / "sub.ndb").mkdir()
    assert settled(tmp_path) == before


def test_probes_are_few_however_many_files_there_are(tmp_path: Path) -> None:
    for number in range(3 * MOST_PROBES):
        (tmp_path / f"own{number}.ndb").write_text(f"Own:0:*:{OWN.hex()}\n")
    assert len(settled(tmp_path).probes) == MOST_PROBES


def test_a_probe_is_found_at_the_end_of_a_large_file(tmp_path: Path) -> None:
    lines = [f"Own{number}:0:*:{number:032x}\n" for number in range(20_000)]
    (tmp_path / "own.ndb").write_text("".join(lines))
    assert settled(tmp_path).probes == (Probe("Own19999", (19_999).to_bytes(16, "big")),)


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="none"):
        Folder(tmp_path / "none").look()
