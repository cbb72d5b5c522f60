"""Locks: set by hand or by a virus, pushed to running edges, lifted again."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lab import messages
from lab.admin_client import AdminClient
from lab.far_server import FarServer
from lab.farm import Farm
from lab.farm_plan import FarmPlan
from rulebook.defaults import DEFAULT_DOCUMENT
from tests.support.eventually import PATIENCE_S, eventually
from tests.support.mail_client import ENVELOPE, MailClient

LOOPBACK_COUNTS = DEFAULT_DOCUMENT.replace('"127.0.0.0/8", ', "")
SOURCE = "127.0.0.66"
SUBJECT = f"address:{SOURCE}"


@pytest.fixture
async def farm(far: FarServer, tmp_path: Path) -> AsyncIterator[Farm]:
    """Loopback is not exempt here."""
    plan = FarmPlan(directory=tmp_path, upstream=far.address, rulebook=LOOPBACK_COUNTS)
    async with Farm(plan) as running:
        yield running


@pytest.fixture
def admin(farm: Farm) -> AdminClient:
    return AdminClient(farm.admin_address, farm.admin_token)


async def test_a_lock_by_hand_reaches_a_running_session(
    farm: Farm, far: FarServer, admin: AdminClient
) -> None:
    async with MailClient(farm.edge_address, SOURCE) as client:
        await client.greeted()
        assert (await client.deliver(b"before\r\n")).code == 250
        admin.post("/api/v1/locks", {"subject": SUBJECT, "reason": "a test", "duration_s": 600})
        locked_at = time.monotonic()
        while (reply := await client.command(ENVELOPE[0])).code == 250:
            assert (await client.command(b"RSET")).code == 250
            assert time.monotonic() - locked_at < 1.0, "pushed in under a second"
        assert reply.code == 550
    async with MailClient(farm.edge_address, SOURCE) as client:
        assert (await client.reply()).code == 554
    async with MailClient(farm.edge_address, "127.0.0.67") as client:
        assert (await client.reply()).code == 220
    assert far.message_count == 1


async def test_a_lock_lifted_by_hand_admits_again(farm: Farm, admin: AdminClient) -> None:
    admin.post("/api/v1/locks", {"subject": SUBJECT, "reason": "a test"})
    await until_greeted(farm, 554)
    admin.delete(f"/api/v1/locks/{SUBJECT}")
    await until_greeted(farm, 220)


async def test_a_virus_locks_its_source_for_an_hour(
    farm: Farm, far: FarServer, admin: AdminClient
) -> None:
    async with MailClient(farm.edge_address, SOURCE) as client:
        await client.greeted()
        assert (await client.deliver(messages.eicar_attached().content)).code == 550
    await until_greeted(farm, 554)
    (lock,) = admin.get("/api/v1/locks")["items"]
    assert lock["subject"] == SUBJECT
    assert lock["expires_at"] is not None
    assert far.message_count == 0


async def test_spam_is_refused_but_locks_nobody(farm: Farm, admin: AdminClient) -> None:
    sample = messages.gtube()
    async with MailClient(farm.edge_address, SOURCE) as client:
        await client.greeted()
        assert (await client.deliver(sample.content)).code == 550
    await eventually(lambda: admin.get("/api/v1/outcomes")["items"])
    assert admin.get("/api/v1/locks")["items"] == []


async def until_greeted(farm: Farm, code: int) -> None:
    """Connect until the greeting has this code."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            async with MailClient(farm.edge_address, SOURCE) as client:
                if (await client.reply()).code == code:
                    return
