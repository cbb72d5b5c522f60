"""The admin token is made once and stays its owner's."""

import stat
from pathlib import Path

from lab.admin_token import kept_token


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def test_it_is_made_once_and_kept_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "admin-token"
    token = kept_token(file)
    assert len(token) >= 32
    assert kept_token(file) == token
    assert mode(file) == 0o600


def test_a_file_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    file = tmp_path / "admin-token"
    file.write_text("mine\n")
    file.chmod(0o644)
    assert kept_token(file) == "mine"
    assert mode(file) == 0o600


def test_an_empty_file_is_no_token(tmp_path: Path) -> None:
    file = tmp_path / "admin-token"
    file.touch()
    assert len(kept_token(file)) >= 32
