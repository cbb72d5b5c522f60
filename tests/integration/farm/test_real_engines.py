"""``make run`` with engines and a store of one's own: clamd, spamd and Valkey from outside."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import messages
from lab.children import Child
from lab.far_server import FarServer
from lab.messages import Sample
from lab.ports import free_port
from lab.probes import why_not_valkey
from lab.valkey import socket_in, valkey_command
from service_kit.addresses import HostPort
from tests.support.commands import lab
from tests.support.engines import (
    PeerMissing,
    RunningClamd,
    RunningSpamd,
    clamd_running,
    skip_or_fail,
    spamd_running,
)
from tests.support.mail_programs import with_smtplib
from tests.support.processes import until


@pytest.fixture(scope="module")
def clamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningClamd]:
    try:
        with clamd_running(tmp_path_factory.mktemp("clamd")) as running:
            yield running
    except PeerMissing as why:
        skip_or_fail(why)


@pytest.fixture(scope="module")
def spamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSpamd]:
    try:
        with spamd_running(tmp_path_factory.mktemp("spamd")) as running:
            yield running
    except PeerMissing as why:
        skip_or_fail(why)


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    with socket_in(tmp_path) as socket:
        valkey = Child("valkey", valkey_command(socket, tmp_path), tmp_path / "valkey.log")
        until(lambda: not why_not_valkey(socket))
        yield f"unix://{socket}"
        valkey.kill()


async def test_engines_and_store_from_outside_are_used(
    clamd: RunningClamd, spamd: RunningSpamd, redis_url: str, tmp_path: Path
) -> None:
    environ = {
        "LISTEN": str(free_port("127.0.0.1")),
        "ADMIN": str(free_port("127.0.0.1")),
        "CLAMD": clamd.address,
        "SPAMD": str(spamd.address),
        "REDIS_URL": redis_url,
    }
    async with FarServer() as far:
        environ["UPSTREAM"] = str(far.address)
        async with lab("run", folder=tmp_path, environ=environ) as command:
            edge = HostPort.parse((await command.until_it_says("edge")).split()[1].rstrip(","))
            await command.until_it_says("Ctrl-C")

            clean = messages.text()
            assert (await with_smtplib(edge, clean)).accepted
            assert [message.content for message in far.messages] == [clean.content]

            await refused(edge, messages.eicar_zipped())
            await refused(edge, messages.gtube())
            assert far.message_count == 1
    logs = tmp_path / ".run" / "run"
    scanned = (logs / "scanner.log").read_text()
    assert "clamd virus clean" in scanned
    assert "spamd spam suspect" in scanned
    assert not (logs / "valkey.log").exists(), "no Valkey of our own was started"


async def refused(edge: HostPort, sample: Sample) -> None:
    delivery = await with_smtplib(edge, sample)
    assert not delivery.accepted
    assert delivery.said.startswith("550 5.7.1"), delivery.said
