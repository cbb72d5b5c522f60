"""Rule files on disk: what is read of them, and how a change shows."""

import os
from pathlib import Path

import pytest

from scanner.engines import yara_sources
from scanner.engines.yara_sources import BUILTIN, RulesUnusable, read, stamps


def test_a_folder_is_its_rule_files_in_order(tmp_path: Path) -> None:
    for name in ("b.yar", "a.yara", "notes.txt"):
        (tmp_path / name).write_text(f"// {name}")
    assert read([str(tmp_path)]).texts == (
        (f"{tmp_path}/a.yara", "// a.yara"),
        (f"{tmp_path}/b.yar", "// b.yar"),
    )


def test_an_edition_is_of_names_and_texts_and_their_order(tmp_path: Path) -> None:
    one, other = tmp_path / "one.yar", tmp_path / "other.yar"
    one.write_text("// 1")
    other.write_text("// 2")
    first = read([str(one), str(other)]).edition
    assert read([str(one), str(other)]).edition == first
    assert read([str(other), str(one)]).edition != first
    one.write_text("// 3")
    assert read([str(one), str(other)]).edition != first


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(RulesUnusable, match=r"missing\.yar: cannot be read: No such file"):
        read([str(tmp_path / "missing.yar")])
    (tmp_path / "latin.yar").write_bytes(b"// \xe9")
    with pytest.raises(RulesUnusable, match=r"latin\.yar: not UTF-8 text"):
        read([str(tmp_path / "latin.yar")])


def test_rules_are_bounded_over_all_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yara_sources, "MOST_OCTETS", 10)
    for name in ("a.yar", "b.yar"):
        (tmp_path / name).write_text("// six")
    assert read([str(tmp_path / "a.yar")]).texts
    with pytest.raises(RulesUnusable, match=r"b\.yar: with it there are more than 10 octets"):
        read([str(tmp_path)])


def test_stamps_change_with_every_way_of_changing_a_file(tmp_path: Path) -> None:
    file, sources = tmp_path / "own.yar", [BUILTIN, str(tmp_path)]
    file.write_text("// 1")
    seen = {stamps(sources)}

    def is_new() -> bool:
        now = stamps(sources)
        new = now not in seen
        seen.add(now)
        return new

    assert not is_new()
    file.write_text("// 22")
    assert is_new()
    os.utime(file, ns=(1, 1))
    assert is_new()
    (tmp_path / "new").write_text("// 22")
    os.utime(tmp_path / "new", ns=(1, 1))
    (tmp_path / "new").rename(file)
    assert is_new()
    file.unlink()
    assert is_new()
