"""Mutual TLS between the services: mail flows, and who has no certificate is nobody."""

from pathlib import Path

from lab import messages
from lab.far_server import FarServer
from lab.farm import Farm
from lab.farm_plan import FarmPlan
from tests.support.farm_logs import until_logged
from tests.support.mail_client import MailClient


async def test_a_farm_whose_services_prove_themselves_judges_mail(
    far: FarServer, tmp_path: Path
) -> None:
    plan = FarmPlan(directory=tmp_path, upstream=far.address, mutual_tls=True)
    async with Farm(plan) as farm, MailClient(farm.edge_address) as client:
        await client.greeted()
        assert (await client.deliver(b"text\r\n")).code == 250
        assert (await client.deliver(messages.eicar_attached().content)).code == 550
    assert far.message_count == 1


async def test_an_edge_without_a_certificate_gets_neither_rules_nor_verdicts(
    far: FarServer, tmp_path: Path
) -> None:
    plan = FarmPlan(directory=tmp_path, upstream=far.address, mutual_tls=True)
    async with Farm(plan) as farm:
        farm.kill("edge")
        config = tmp_path / "edge.toml"
        config.write_text(config.read_text().partition("\n[tls]")[0])
        farm.start("edge")
        await until_logged(farm, "edge", "policy watch ended")
        async with MailClient(farm.edge_address) as client:
            assert (await client.reply()).code == 421
    assert far.session_count == 0
