"""The handover socket: who may come, what is replaced, what is left alone."""

import stat
from pathlib import Path

import pytest

from edge_proxy.handover.knocker import bound, knocked
from service_kit.errors import StartError


def test_only_its_user_may_knock(tmp_path: Path) -> None:
    path = tmp_path / "edge.sock"
    with bound(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_who_listens_is_found(tmp_path: Path) -> None:
    path = tmp_path / "edge.sock"
    with bound(path) as knocker:
        connection = knocked(path)
        assert connection is not None
        with connection, knocker.accept()[0]:
            pass


def test_nobody_is_there_where_nothing_is(tmp_path: Path) -> None:
    assert knocked(tmp_path / "edge.sock") is None


def test_what_a_crashed_edge_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "edge.sock"
    bound(path).close()
    assert knocked(path) is None
    with bound(path):
        connection = knocked(path)
        assert connection is not None
        connection.close()


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "edge.sock"
    path.write_text("precious")
    with pytest.raises(StartError, match=rf"\[listen\] handover = {path}: Address already in use"):
        bound(path)
    assert path.read_text() == "precious"


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "absent" / "edge.sock"
    with pytest.raises(StartError, match="No such file or directory"):
        bound(path)
