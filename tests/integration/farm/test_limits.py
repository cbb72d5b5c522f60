"""Limits per window, points and their stages as clients meet them: a whole farm."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from lab import messages
from lab.admin_client import AdminClient
from lab.far_server import FarServer
from lab.farm import Farm
from lab.farm_plan import FarmPlan
from tests.support.farm_logs import until_logged
from tests.support.mail_client import ENVELOPE, MailClient

RULEBOOK = """
schema = 1
[[rates]]
id = "messages"
count = "messages"
per = "source"
limit = 3
window_s = 3600
action = "refuse"
reply = "enough for an hour"
points = 30
[[rates]]
id = "recipients"
count = "recipients"
per = "source"
limit = 5
window_s = 3600
[penalty]
half_life_s = 3600
stages = { watch = 10, require-auth = 25, refuse = 50 }
"""
SOURCE = "127.0.77.2"
CLEAN = messages.text().content
MAIL, RCPT = ENVELOPE


@pytest.fixture
async def limited(far: FarServer, tmp_path: Path) -> AsyncIterator[Farm]:
    plan = FarmPlan(directory=tmp_path, upstream=far.address, rulebook=RULEBOOK)
    async with Farm(plan) as running:
        await until_logged(running, "edge", "policy stream opened")
        yield running


async def lock_on(farm: Farm, subject: str, cause: str) -> Any:
    """When it is there."""
    admin = AdminClient(farm.admin_address, farm.admin_token)
    async with asyncio.timeout(20):
        while True:
            page = await asyncio.to_thread(admin.get, "/api/v1/locks")
            for lock in page["items"]:
                if (lock["subject"], lock["cause"]) == (subject, cause):
                    return lock
            await asyncio.sleep(0.02)


async def test_over_a_limit_costs_points_and_points_have_stages(limited: Farm) -> None:
    async with MailClient(limited.edge_address, SOURCE) as client:
        await client.greeted()
        for _ in range(3):
            assert (await client.deliver(CLEAN)).code == 250
        assert (await client.command(MAIL)).code == 250
        assert (await client.command(RCPT)).code == 250
        refused = await client.command(b"DATA")
        assert refused.code == 550
        assert "enough for an hour" in str(refused)
        # 30 points: from now on he must say who he is, in the session that runs, too.
        await lock_on(limited, f"address:{SOURCE}", "messages")
        await until_logged(limited, "edge", "held", stage="require-auth")
        assert (await client.command(b"RSET")).code == 250
        assert (await client.command(MAIL)).code == 530
    async with MailClient(limited.edge_address, SOURCE) as client:
        await client.greeted()
        assert (await client.command(MAIL)).code == 530
        login = await client.command(b"AUTH PLAIN AGpvZQByaWdodA==")
        assert login.code == 235
        assert (await client.command(MAIL)).code == 250
        assert (await client.command(RCPT)).code == 250
        # 60 points: refused.
        assert (await client.command(b"DATA")).code == 550
        await until_logged(limited, "edge", "held", stage="refuse")
    async with MailClient(limited.edge_address, SOURCE) as client:
        assert (await client.reply()).code == 554


async def test_recipients_beyond_what_is_left_are_put_off(limited: Farm) -> None:
    async with MailClient(limited.edge_address, SOURCE) as client:
        await client.greeted(MAIL)
        told = [(await client.command(RCPT)).code for _ in range(7)]
        assert told == [250] * 5 + [452] * 2
        assert (await client.command(b"DATA")).code == 354


async def test_others_are_not_touched(limited: Farm) -> None:
    for source in (SOURCE, "127.0.77.3"):
        async with MailClient(limited.edge_address, source) as client:
            await client.greeted()
            for _ in range(3):
                assert (await client.deliver(CLEAN)).code == 250
