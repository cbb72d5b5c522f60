"""A server that reads slowly stops the client, and the edge's memory stays where it was."""

from pathlib import Path

from lab import messages
from lab.far_server import FarPlan, FarServer
from lab.farm import Farm
from lab.farm_plan import FarmPlan
from tests.support.mail_client import ENVELOPE, MailClient
from tests.support.processes import resident_octets

MIB = 1024 * 1024
MAY_GROW_OCTETS = 8 * MIB
SLOW = FarPlan(octets_per_s=20 * MIB, receive_buffer_octets=65_536)


async def test_50_mib_against_a_slow_server_cost_the_edge_less_than_8_mib(tmp_path: Path) -> None:
    sample = messages.large(50)
    async with (
        FarServer(SLOW) as far,
        Farm(FarmPlan(directory=tmp_path, upstream=far.address)) as farm,
        MailClient(farm.edge_address) as client,
    ):
        await client.greeted()
        # The first message brings in whatever is loaded once.
        assert (await client.deliver(messages.large(1).content)).code == 250
        edge = farm.processes["edge"]
        before = highest = resident_octets(edge)
        for command in (*ENVELOPE, b"DATA"):
            await client.command(command)
        for at in range(0, len(sample.content), MIB):
            await client.send_octets(sample.content[at : at + MIB])
            highest = max(highest, resident_octets(edge))
        await client.send_octets(b".\r\n")
        reply = await client.reply()
        highest = max(highest, resident_octets(edge))
        assert reply.code == 250
        assert highest - before < MAY_GROW_OCTETS
        assert far.messages[-1].content == sample.content
