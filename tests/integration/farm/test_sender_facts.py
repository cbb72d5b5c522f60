"""SPF and DNS blocklists as a client meets them: a whole farm, and a real name server behind it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lab.far_server import FarServer
from lab.farm import Farm
from lab.farm_plan import FarmPlan
from lab.toml_text import Table
from tests.support.farm_logs import until_logged
from tests.support.mail_client import MailClient
from tests.support.name_server import NameServer, failing

RULEBOOK = """
schema = 1
[spf]
address = "egress"
[[dnsbl]]
zone = "bl.example"
[[rules]]
id = "listed"
phase = "connect"
when = { dnsbl = "bl.example" }
action = "refuse"
[[rules]]
id = "forged"
phase = "mail"
when = { spf = ["fail", "permerror"] }
action = "refuse"
reply = "this sender is not sent from here"
"""
LISTED = "127.0.19.2"
RECORDS = {
    "2.19.0.127.bl.example": [("A", "127.0.0.2")],
    # The edge's own address: what the far server sees.
    "ours.example": [("TXT", '"v=spf1 ip4:127.0.0.1 -all"')],
    "theirs.example": [("TXT", '"v=spf1 ip4:192.0.2.0/24 -all"')],
}


@pytest.fixture
async def names() -> AsyncIterator[NameServer]:
    async with NameServer(RECORDS) as server:
        yield server


@pytest.fixture
async def farm(far: FarServer, names: NameServer, tmp_path: Path) -> AsyncIterator[Farm]:
    settings: dict[str, Table] = {"policy": {"dns": {"servers": (str(names.address),)}}}
    plan = FarmPlan(directory=tmp_path, upstream=far.address, rulebook=RULEBOOK, settings=settings)
    async with Farm(plan) as running:
        # Until then the edge decides alone, and nobody has asked a name server.
        await until_logged(running, "edge", "policy stream opened")
        yield running


async def test_who_is_listed_is_not_served_and_forged_senders_are_refused(
    farm: Farm, far: FarServer, names: NameServer
) -> None:
    async with MailClient(farm.edge_address, LISTED) as listed:
        assert (await listed.reply()).code == 554
    assert names.asked == [("2.19.0.127.bl.example", "A")]
    names.odd["broken.example"] = failing
    async with MailClient(farm.edge_address, "127.0.19.1") as client:
        await client.greeted()
        refused = await client.command(b"MAIL FROM:<me@theirs.example>")
        assert "this sender is not sent from here" in refused.text
        for sender, code in (
            (b"me@theirs.example", 550),
            (b"me@ours.example", 250),
            (b"me@broken.example", 250),
            (b"me@without-a-record.example", 250),
        ):
            assert (await client.command(b"MAIL FROM:<" + sender + b">")).code == code
            assert (await client.command(b"RSET")).code == 250
