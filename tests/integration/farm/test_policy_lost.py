"""Rows "policy unreachable", "policy never seen since start" and "Redis away"."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lab import messages
from lab.admin_client import AdminClient
from lab.far_server import FarServer
from lab.farm import Farm
from lab.farm_plan import FarmPlan
from rulebook.defaults import DEFAULT_DOCUMENT
from service_kit.probe import why_not_ready
from tests.support.eventually import PATIENCE_S, eventually
from tests.support.farm_logs import until_logged
from tests.support.mail_client import MailClient

LOOPBACK_COUNTS = DEFAULT_DOCUMENT.replace('"127.0.0.0/8", ', "")
LOCKED = "127.0.0.77"


@pytest.fixture
async def farm(far: FarServer, tmp_path: Path) -> AsyncIterator[Farm]:
    """Its policy and its Valkey are to be killed; loopback can be locked."""
    plan = FarmPlan(directory=tmp_path, upstream=far.address, rulebook=LOOPBACK_COUNTS)
    async with Farm(plan) as running:
        yield running


async def test_without_policy_rulebook_and_locks_stay_in_force(farm: Farm, far: FarServer) -> None:
    admin = AdminClient(farm.admin_address, farm.admin_token)
    admin.post("/api/v1/locks", {"subject": f"address:{LOCKED}", "reason": "a test"})
    await until_refused(farm, LOCKED)

    farm.kill("policy")

    async with MailClient(farm.edge_address, LOCKED) as client:
        assert (await client.reply()).code == 554
    async with MailClient(farm.edge_address) as client:
        await client.greeted()
        assert (await client.deliver(b"text\r\n")).code == 250
        refused = await client.deliver(messages.eicar_attached().content)
        assert (refused.code, refused.text.split()[0]) == (550, "5.7.1")
    assert far.message_count == 1


async def test_policy_back_again_is_policy_again(farm: Farm) -> None:
    farm.kill("policy")
    await farm.restart_async("policy")
    admin = AdminClient(farm.admin_address, farm.admin_token)
    admin.post("/api/v1/locks", {"subject": f"address:{LOCKED}", "reason": "a test"})
    await until_refused(farm, LOCKED)


async def test_policy_never_seen_is_not_ready_and_421(far: FarServer, tmp_path: Path) -> None:
    plan = FarmPlan(directory=tmp_path, upstream=far.address)
    async with Farm(plan) as farm:
        farm.kill("policy")
        farm.kill("edge")
        farm.start("edge")
        await until_logged(farm, "edge", "listening")
        async with MailClient(farm.edge_address) as client:
            assert (await client.reply()).code == 421
            assert await client.rest() == b""
        assert "rulebook" in why_not_ready(farm.metrics_addresses["edge"])
    assert far.session_count == 0


async def test_without_valkey_mail_flows_and_health_says_so(farm: Farm, far: FarServer) -> None:
    farm.kill("valkey")
    async with MailClient(farm.edge_address) as client:
        await client.greeted()
        assert (await client.deliver(b"text\r\n")).code == 250
    assert far.message_count == 1
    admin = AdminClient(farm.admin_address, farm.admin_token)
    await eventually(lambda: admin.get("/api/v1/status")["store"]["there"] is False)


async def test_valkey_back_again_is_used_again(farm: Farm) -> None:
    farm.kill("valkey")
    await farm.restart_async("valkey")
    await farm.until_ready("policy")
    admin = AdminClient(farm.admin_address, farm.admin_token)
    admin.post("/api/v1/locks", {"subject": f"address:{LOCKED}", "reason": "a test"})
    await until_refused(farm, LOCKED)


async def until_refused(farm: Farm, source: str) -> None:
    """Locks are pushed: soon no new session is admitted."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            async with MailClient(farm.edge_address, source) as client:
                if (await client.reply()).code == 554:
                    return
