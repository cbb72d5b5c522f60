"""Every transcript against the core. ``make transcripts ACCEPT=1`` keeps what really happened."""

import difflib
import os
from pathlib import Path

import pytest

from tests.support.transcript import read
from tests.support.transcript_core import played

FILES = sorted(Path(__file__).parent.glob("**/*.smtp"))
ACCEPT = bool(os.environ.get("ACCEPT"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_core_acts_as_written(path: Path) -> None:
    written = path.read_text(encoding="utf-8")
    acted = played(read(path)).rendered()
    if acted != written and ACCEPT:
        path.write_text(acted, encoding="utf-8")
        return
    difference = difflib.unified_diff(
        written.splitlines(), acted.splitlines(), "as written", "as acted", lineterm="", n=6
    )
    assert acted == written, "\n".join(["", *difference])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_transcript_says_first_what_it_shows(path: Path) -> None:
    first, *_ = path.read_text(encoding="utf-8").splitlines()
    assert first.startswith("# ")


def test_there_are_transcripts() -> None:
    assert FILES
