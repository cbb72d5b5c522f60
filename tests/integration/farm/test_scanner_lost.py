"""Row "scanner farm unreachable": 451 4.7.1, nothing released, and mail again once it is back."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lab import messages
from lab.far_server import FarServer
from lab.farm import Farm
from lab.farm_plan import FarmPlan
from rulebook.defaults import DEFAULT_DOCUMENT
from tests.support.eventually import PATIENCE_S
from tests.support.farm_logs import logged, until_logged
from tests.support.mail_client import MailClient

OPEN = DEFAULT_DOCUMENT.replace('virus = "closed"', 'virus = "open"')
LARGE = 1024 * 1024


@pytest.fixture
async def farm(far: FarServer, tmp_path: Path) -> AsyncIterator[Farm]:
    """Its scanner is to be killed: not the shared one. Verdicts are due soon."""
    plan = FarmPlan(
        directory=tmp_path, upstream=far.address, settings={"edge": {"scanner": {"deadline_s": 5}}}
    )
    async with Farm(plan) as running:
        yield running


async def test_a_scanner_killed_in_mid_message_defers_and_nothing_is_stored(
    farm: Farm, far: FarServer
) -> None:
    async with MailClient(farm.edge_address) as client:
        await client.begun()
        # So much that it travels as a stream that is under way when the scanner dies.
        await client.send_octets(b"x" * 70 + b"\r\n")
        for _ in range(20):
            await client.send_octets((b"x" * 70 + b"\r\n") * (LARGE // 72 // 20))
        await far.wait_until(lambda: far.sessions[0].commands[-1] == b"DATA")
        farm.kill("scanner")
        await client.send(b"the end", b".")
        reply = await client.reply()
        assert (reply.code, reply.text.split()[0]) == (451, "4.7.1")
    await far.wait_until(lambda: far.sessions[0].closed)
    assert far.message_count == 0
    assert far.sessions[0].cut_octets is not None
    transaction = await until_logged(farm, "edge", "transaction")
    assert transaction["verdict"] == "unscanned"
    assert transaction["disposition"] == "defer"


async def test_a_scanner_that_was_away_is_asked_again_when_it_is_back(
    farm: Farm, far: FarServer
) -> None:
    farm.kill("scanner")
    async with MailClient(farm.edge_address) as client:
        await client.greeted()
        assert (await client.deliver(b"text\r\n")).code == 451
    await farm.restart_async("scanner")
    async with asyncio.timeout(PATIENCE_S):
        while await one_message(farm) == 451:
            pass  # as a customer's server does: it tries again later
    assert [message.content for message in far.messages] == [b"text\r\n"]


async def test_under_stance_open_the_message_is_released_and_that_is_logged(
    far: FarServer, tmp_path: Path
) -> None:
    plan = FarmPlan(
        directory=tmp_path / "open",
        upstream=far.address,
        rulebook=OPEN,
        settings={"edge": {"scanner": {"deadline_s": 5}}},
    )
    sample = messages.eicar_attached()
    async with Farm(plan) as farm:
        farm.kill("scanner")
        async with MailClient(farm.edge_address) as client:
            await client.greeted()
            assert (await client.deliver(sample.content)).code == 250
        await until_logged(farm, "edge", "transaction", disposition="release")
        assert logged(farm, "edge", "transaction")[0]["verdict"] == "unscanned"
    assert far.messages[0].content == sample.content


async def one_message(farm: Farm) -> int:
    async with MailClient(farm.edge_address) as client:
        await client.greeted()
        return (await client.deliver(b"text\r\n")).code
