"""Descriptors inherited: whose they are, what they must be, and that they are taken once."""

import os
import socket
from collections.abc import Iterator

import pytest

from edge_proxy.handover import environment
from edge_proxy.handover.environment import (
    doors_from_manager,
    doors_from_supervisor,
    for_worker,
)
from service_kit.errors import StartError


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as door:
        yield door


def told(monkeypatch: pytest.MonkeyPatch, descriptor: int, **variables: str) -> dict[str, str]:
    """What a manager tells us that passes this descriptor as its first."""
    monkeypatch.setattr(environment, "_FIRST", descriptor)
    ours = {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid()), "LISTEN_FDNAMES": "x", "PATH": "/"}
    return {**ours, **variables}


def test_the_managers_doors_are_taken_once(
    listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = told(monkeypatch, os.dup(listening.fileno()))
    (door,) = doors_from_manager(environ)
    with door:
        assert door.getsockname() == listening.getsockname()
        assert not door.getblocking()
        assert not door.get_inheritable()
    assert environ == {"PATH": "/"}
    assert doors_from_manager(environ) == []


@pytest.mark.parametrize("variables", [{"LISTEN_PID": "1"}, {"LISTEN_PID": ""}, {"LISTEN_FDS": ""}])
def test_what_is_meant_for_another_process_is_left_alone(
    variables: dict[str, str], listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = told(monkeypatch, listening.fileno(), **variables)
    assert doors_from_manager(environ) == []


def test_a_connection_is_no_door(listening: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        socket.create_connection(listening.getsockname()) as connection,
        pytest.raises(StartError, match=r"no listening TCP socket .*Accept=no"),
    ):
        doors_from_manager(told(monkeypatch, connection.fileno()))


def test_a_file_is_no_door(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        open("/dev/null") as file,  # noqa: PTH123 - its descriptor is what counts
        pytest.raises(StartError, match=r"inherited descriptor \d+: .*non-socket"),
    ):
        doors_from_manager(told(monkeypatch, file.fileno()))


def test_a_worker_is_told_which_are_its_doors(listening: socket.socket) -> None:
    copy = listening.dup()
    environ = for_worker([copy])
    (door,) = doors_from_supervisor(environ)
    with door:
        assert door.getsockname() == listening.getsockname()
    copy.detach()
    assert environ == {}
