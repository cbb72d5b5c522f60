"""The scripts as files: what a reader must find in each."""

from importlib import resources

import pytest

from policy.store.redis.script_files import ALL

FOLDER = resources.files("policy.store.redis") / "scripts"
FILES = sorted(file.name for file in FOLDER.iterdir() if file.name.endswith(".lua"))


def test_every_file_is_a_script_and_every_script_has_its_own_digest() -> None:
    assert len(ALL) == len(FILES) - 1, "the prelude is no script of its own"
    assert len({each.digest for each in ALL}) == len(ALL)


@pytest.mark.parametrize("name", FILES)
def test_the_first_line_says_the_unit_of_times(name: str) -> None:
    first = (FOLDER / name).read_text().splitlines()[0]
    assert "Times are Unix milliseconds" in first or "No times." in first


@pytest.mark.parametrize("name", [name for name in FILES if name != "prelude.lua"])
def test_keys_arguments_and_answer_are_documented(name: str) -> None:
    text = (FOLDER / name).read_text()
    for part in ("-- KEYS  1 ", "-- ARGV  1 ", "-- Returns "):
        assert part in text
