"""``make run``: what it refuses to start with, what it starts, and that nothing of it stays."""

import os
import signal
import stat
from pathlib import Path

import pytest

from lab.admin_client import AdminClient
from lab.far_server import FarServer
from lab.ports import free_port
from service_kit.addresses import HostPort
from tests.support.commands import Command, lab
from tests.support.eventually import eventually
from tests.support.mail_client import MailClient
from tests.support.processes import children, is_gone


def run(folder: Path, **environ: str) -> Command:
    """With ports of its own, so that the well-known ones need not be free."""
    ports = {"LISTEN": str(free_port("127.0.0.1")), "ADMIN": str(free_port("127.0.0.1"))}
    return lab("run", folder=folder, environ=ports | environ)


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({}, "UPSTREAM=host:port is needed: the server every message goes to"),
        ({"UPSTREAM": "127.0.0.1:25", "LISTEN": "nowhere"}, "LISTEN=nowhere: must be host:port"),
        ({"UPSTREAM": "127.0.0.1:25", "CLAMD": "/none"}, "CLAMD=/none: no clamd there: No such"),
        ({"UPSTREAM": "127.0.0.1:25", "SPAMD": "127.0.0.1:1"}, "SPAMD=127.0.0.1:1: no spamd there"),
        ({"UPSTREAM": "127.0.0.1:25", "REDIS_URL": "redis://127.0.0.1:1"}, "REDIS_URL: no Redis"),
    ],
)
async def test_what_cannot_be_is_one_sentence_and_exit_code_2(
    tmp_path: Path, environ: dict[str, str], sentence: str
) -> None:
    async with run(tmp_path, **environ) as command:
        ended = await command.ended()
    assert ended.code == 2
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1
    assert sentence in ended.stderr
    assert not (tmp_path / ".run").exists()


async def test_a_port_in_use_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    async with (
        FarServer() as far,
        run(tmp_path, UPSTREAM="127.0.0.1:1", LISTEN=str(far.address)) as command,
    ):
        ended = await command.ended()
    assert ended.code == 2
    assert f"LISTEN={far.address}: cannot listen there: Address already in use" in ended.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_relays_until_it_is_told_to_stop_and_leaves_no_process(
    tmp_path: Path, number: signal.Signals
) -> None:
    async with FarServer() as far, run(tmp_path, UPSTREAM=str(far.address)) as command:
        edge = HostPort.parse((await command.until_it_says("edge")).split()[1].rstrip(","))
        page = (await command.until_it_says("status page")).split()[-1]
        admin = HostPort.parse(page.removeprefix("http://").rstrip("/"))
        token = (await command.until_it_says("admin token")).split()[2]
        await command.until_it_says("Ctrl-C")

        async with MailClient(edge) as client:
            await client.greeted()
            assert (await client.deliver(b"text\r\n")).code == 250
        assert far.message_count == 1

        kept = tmp_path / ".run" / "admin-token"
        assert kept.read_text().strip() == token
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert AdminClient(admin, token).get("/api/v1/status")["store"]["there"] is True

        started = children(command.pid)
        assert len(started) >= 4
        command.signal(number)
        ended = await command.ended()
    assert ended.code == 0
    assert all(map(is_gone, started))


async def test_killed_without_a_chance_it_leaves_no_process_either(tmp_path: Path) -> None:
    async with run(tmp_path, UPSTREAM="127.0.0.1:1") as command:
        await command.until_it_says("Ctrl-C")
        started = children(command.pid)
        command.signal(signal.SIGKILL)
        await command.ended()
        await eventually(lambda: all(map(is_gone, started)))


@pytest.mark.parametrize("name", ["valkey-server", "policy", "scanner", "edge_proxy"])
async def test_a_part_that_dies_is_named_with_its_last_words_and_exit_code_1(
    tmp_path: Path, name: str
) -> None:
    async with run(tmp_path, UPSTREAM="127.0.0.1:1") as command:
        await command.until_it_says("Ctrl-C")
        started = children(command.pid)
        victim = next(pid for pid in started if name in command_line(pid))
        os.kill(victim, signal.SIGKILL)
        ended = await command.ended()
    assert ended.code == 1
    short = {"valkey-server": "valkey", "edge_proxy": "edge"}.get(name, name)
    assert f"lab run: {short} was ended by SIGKILL; the end of .run/run/{short}.log" in ended.stderr
    assert all(map(is_gone, started))


async def test_the_token_is_kept_from_one_run_to_the_next(tmp_path: Path) -> None:
    tokens = []
    for _ in range(2):
        async with run(tmp_path, UPSTREAM="127.0.0.1:1") as command:
            tokens.append((await command.until_it_says("admin token")).split()[2])
            await command.until_it_says("Ctrl-C")
            command.signal(signal.SIGINT)
            await command.ended()
    assert tokens[0] == tokens[1]


async def test_two_runs_in_one_folder_are_one_too_many(tmp_path: Path) -> None:
    async with run(tmp_path, UPSTREAM="127.0.0.1:1") as first:
        await first.until_it_says("Ctrl-C")
        async with run(tmp_path, UPSTREAM="127.0.0.1:1") as second:
            ended = await second.ended()
    assert ended.code == 2
    assert "belongs to a farm that is running" in ended.stderr


def command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8").replace("\0", " ")
