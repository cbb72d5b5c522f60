"""Who a source is, told over REST: in logs, in the list of sessions, in limits, in locks."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from lab.admin_client import AdminClient
from lab.far_server import FarServer
from lab.farm import Farm
from lab.farm_plan import FarmPlan
from rulebook.defaults import DEFAULT_DOCUMENT
from tests.support.eventually import PATIENCE_S, eventually
from tests.support.farm_logs import until_logged
from tests.support.mail_client import ENVELOPE, MailClient

JOE, ALSO_JOE, ANN = "127.0.17.1", "127.0.17.2", "127.0.18.1"
RULEBOOK = DEFAULT_DOCUMENT.replace('"127.0.0.0/8", ', "").replace(
    "concurrent_sessions_per_identity = 100", "concurrent_sessions_per_identity = 2"
)


@pytest.fixture
async def farm(far: FarServer, tmp_path: Path) -> AsyncIterator[Farm]:
    """Loopback is not exempt here, and nobody may have more than two sessions."""
    plan = FarmPlan(directory=tmp_path, upstream=far.address, rulebook=RULEBOOK)
    async with Farm(plan) as running:
        # Until then the edge decides alone, and knows nobody.
        await until_logged(running, "edge", "policy stream opened")
        yield running


@pytest.fixture
def admin(farm: Farm) -> AdminClient:
    return AdminClient(farm.admin_address, farm.admin_token)


def is_joes(admin: AdminClient, network: str, **end: object) -> None:
    admin.put(f"/api/v1/identities/{network}", {"identity": "joe", **end})


async def test_a_session_is_known_by_name_and_a_lock_on_it_reaches_the_session(
    farm: Farm, admin: AdminClient
) -> None:
    is_joes(admin, "127.0.17.0%2F24", duration_s=600)
    async with MailClient(farm.edge_address, JOE) as joe, MailClient(farm.edge_address, ANN) as ann:
        await joe.greeted()
        await ann.greeted()
        assert (await joe.deliver(b"hello\r\n")).code == 250
        assert {each["source"]: each["identity"] for each in sessions(admin)} == {
            JOE: "joe",
            ANN: "",
        }
        lock(admin, "identity:joe")
        await until_greeted(farm, ALSO_JOE, 554)
        assert (await joe.command(ENVELOPE[0])).code == 550
        assert (await ann.command(ENVELOPE[0])).code == 250
    await until_logged(farm, "edge", "transaction", identity="joe", disposition="release")
    await until_logged(farm, "edge", "session", identity="joe", transactions=1)
    await eventually(lambda: admin.get("/api/v1/outcomes")["items"])
    assert admin.get("/api/v1/outcomes")["items"][0]["identity"] == "joe"


async def test_a_lock_on_the_identity_cuts_its_tunnel(farm: Farm, admin: AdminClient) -> None:
    is_joes(admin, JOE)
    async with MailClient(farm.edge_address, JOE) as joe:
        await joe.greeted()
        assert (await joe.command(b"STARTTLS")).code == 220
        lock(admin, "identity:joe")
        assert await joe.rest() == b""
    await until_logged(farm, "edge", "session", identity="joe", closed_by="lock", tunnelled=True)


async def test_an_identity_has_so_many_sessions_and_no_more_from_all_its_addresses(
    farm: Farm, admin: AdminClient
) -> None:
    is_joes(admin, "127.0.17.0%2F24")
    async with MailClient(farm.edge_address, JOE) as one, MailClient(farm.edge_address, JOE) as two:
        await one.greeted()
        await two.greeted()
        assert (await greeting(farm, ALSO_JOE)) == 421
        assert (await greeting(farm, ANN)) == 220
    limit = "limit:concurrent_sessions_per_identity"
    await until_logged(farm, "edge", "session", identity="joe", closed_by="policy", detail=limit)
    await until_greeted(farm, ALSO_JOE, 220)


async def test_when_its_time_is_over_new_sessions_are_nobodys(
    farm: Farm, admin: AdminClient
) -> None:
    lock(admin, "identity:joe")
    is_joes(admin, JOE, duration_s=2)
    await until_greeted(farm, JOE, 554)
    await until_greeted(farm, JOE, 220)
    await until_logged(farm, "edge", "session", identity="joe", detail="lock:worm")
    await until_logged(farm, "edge", "session", identity="", closed_by="client")


async def test_an_exempt_subscriber_is_served_from_an_address_that_is_locked(
    farm: Farm, admin: AdminClient
) -> None:
    lock(admin, "prefix:127.0.17.0/24")
    await until_greeted(farm, JOE, 554)
    is_joes(admin, JOE)
    admin.post("/api/v1/exemptions", {"subject": "identity:joe", "reason": "a test"})
    await until_greeted(farm, JOE, 220)
    assert await greeting(farm, ALSO_JOE) == 554


def lock(admin: AdminClient, subject: str) -> None:
    admin.post("/api/v1/locks", {"subject": subject, "reason": "a test", "cause": "worm"})


def sessions(admin: AdminClient) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = admin.get("/api/v1/sessions")["items"]
    return items


async def greeting(farm: Farm, source: str) -> int:
    async with MailClient(farm.edge_address, source) as client:
        return (await client.reply()).code


async def until_greeted(farm: Farm, source: str, code: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while await greeting(farm, source) != code:
            pass
