"""What the service manager hears: a datagram socket stands in for systemd."""

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from service_kit import notify
from service_kit.tasks import Tasks


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listening


def test_assignments_arrive_in_one_datagram(manager: socket.socket) -> None:
    notify.notify(notify.READY, "MAINPID=42")
    assert manager.recv(4096) == b"READY=1\nMAINPID=42"


def test_an_abstract_name_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"smtp-gated-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{name}")
        listening.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        notify.notify(notify.STOPPING)
        assert listening.recv(4096) == b"STOPPING=1"


@pytest.mark.parametrize("where", ["", "/nowhere/to/be/found", "not-a-path"])
def test_a_manager_that_is_not_there_is_no_reason_to_fail(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", where)
    notify.notify(notify.READY)


async def test_the_watchdog_is_fed_again_and_again(
    manager: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "2000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    async with Tasks() as tasks:
        feeding = tasks.spawn(notify.keep_alive(), name="feed the watchdog")
        fed = [await tasks.spawn(_next(manager), name="listen") for _ in range(3)]
        assert fed == [b"WATCHDOG=1"] * 3
        assert not feeding.done()


async def _next(manager: socket.socket) -> bytes:
    return await asyncio.to_thread(manager.recv, 4096)


@pytest.mark.parametrize(("period", "process"), [("", ""), ("0", ""), ("x", ""), ("2000", "1")])
async def test_a_watchdog_that_is_not_ours_is_not_fed(
    period: str, process: str, manager: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", period)
    if process:
        monkeypatch.setenv("WATCHDOG_PID", process)
    await notify.keep_alive()
    manager.settimeout(0)
    with pytest.raises(BlockingIOError):
        manager.recv(4096)


def test_who_is_started_is_told_only_what_concerns_him() -> None:
    ours = {"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1", "PATH": "/bin"}
    assert notify.for_a_successor(ours) == {
        "NOTIFY_SOCKET": "/n",
        "WATCHDOG_USEC": "1",
        "PATH": "/bin",
    }
    assert notify.for_a_child(ours) == {"PATH": "/bin"}
