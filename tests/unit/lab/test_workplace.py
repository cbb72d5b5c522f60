"""One farm a folder."""

from pathlib import Path

import pytest

from lab.workplace import workplace
from service_kit.errors import StartError


def test_a_folder_is_one_farms_own_while_it_lasts(tmp_path: Path) -> None:
    with workplace("run", tmp_path) as folder:
        assert folder == tmp_path / "run"
        with (
            pytest.raises(StartError, match="belongs to a farm that is running"),
            workplace("run", tmp_path),
        ):
            pytest.fail("two in one folder")
        with workplace("demo", tmp_path):
            pass
    with workplace("run", tmp_path):
        pass


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "run").touch()
    with pytest.raises(StartError, match="run: cannot be used"), workplace("run", tmp_path):
        pytest.fail("a file is no folder")
