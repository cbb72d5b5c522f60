"""``make demo``: every row right, with whatever ports are free, and nothing left behind."""

import signal
from pathlib import Path

from lab.demo.cases import cases
from service_kit.addresses import HostPort
from tests.support.commands import lab
from tests.support.eventually import eventually
from tests.support.mail_client import MailClient
from tests.support.processes import children, is_gone


async def test_with_exit_every_row_is_right_and_the_exit_code_is_0(tmp_path: Path) -> None:
    async with lab("demo", "--exit", folder=tmp_path) as command:
        ended = await command.ended()
    assert ended.code == 0, ended.stdout + ended.stderr
    rows = [line for line in ended.stdout.splitlines() if line.rstrip().endswith("│ right │")]
    assert len(rows) == len(cases())
    for row, case in zip(rows, cases(), strict=True):
        assert case.name in row
        assert str(case.code) in row
        assert ("byte for byte" in row) is case.must_be_kept


async def test_without_exit_it_stays_until_it_is_told_to_stop(tmp_path: Path) -> None:
    async with lab("demo", folder=tmp_path) as command:
        stays = await command.until_it_says("The farm stays up: send through")
        edge = HostPort.parse(stays.partition("through ")[2].partition(",")[0])
        await command.until_it_says("Ctrl-C")
        async with MailClient(edge) as client:
            await client.greeted()
            assert (await client.deliver(b"text\r\n")).code == 250
        started = children(command.pid)
        command.signal(signal.SIGINT)
        ended = await command.ended()
    assert ended.code == 0
    assert all(map(is_gone, started))


async def test_stopped_before_the_table_it_leaves_no_process(tmp_path: Path) -> None:
    async with lab("demo", folder=tmp_path) as command:
        await eventually(lambda: children(command.pid))
        started = children(command.pid)
        command.signal(signal.SIGINT)
        ended = await command.ended()
    assert ended.code == 1
    assert all(map(is_gone, started))
