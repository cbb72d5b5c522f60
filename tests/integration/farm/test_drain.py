"""SIGTERM: what runs finishes, nothing is cut before the deadline, nothing is half released."""

from pathlib import Path

from lab.far_server import FarPlan, FarServer, Hold, Moment
from lab.farm import Farm
from lab.farm_plan import FarmPlan
from tests.support.eventually import eventually
from tests.support.mail_client import ENVELOPE, MailClient


async def test_a_message_under_way_is_finished_and_then_the_edge_ends(
    far: FarServer, tmp_path: Path
) -> None:
    plan = FarmPlan(directory=tmp_path, upstream=far.address, drain_deadline_s=30)
    async with Farm(plan) as farm, MailClient(farm.edge_address) as client:
        await client.begun()
        await client.send_octets(b"first half, ")
        edge = farm.child("edge")
        edge.terminate()
        await eventually(lambda: '"draining"' in edge.log_tail())
        await client.send(b"second half", b".")
        assert (await client.reply()).code == 250
        client.abort()  # else the edge reads for a while what a client may still have sent
        await eventually(lambda: edge.exit_code is not None)
        assert edge.exit_code == 0
    assert [message.content for message in far.messages] == [b"first half, second half\r\n"]


async def test_an_answer_the_server_still_owes_is_waited_for(tmp_path: Path) -> None:
    async with FarServer(FarPlan(at={Moment.END: Hold()})) as far:
        plan = FarmPlan(directory=tmp_path, upstream=far.address, drain_deadline_s=30)
        async with Farm(plan) as farm, MailClient(farm.edge_address) as client:
            await client.begun()
            await client.send(b"text", b".")
            await far.wait_for_held()
            edge = farm.child("edge")
            edge.terminate()
            await eventually(lambda: '"draining"' in edge.log_tail())
            far.release()
            assert (await client.reply()).code == 250
            client.abort()
            await eventually(lambda: edge.exit_code is not None)
        assert far.message_count == 1


async def test_while_it_drains_nobody_is_accepted_and_the_next_message_is_put_off(
    far: FarServer, tmp_path: Path
) -> None:
    plan = FarmPlan(directory=tmp_path, upstream=far.address, drain_deadline_s=30)
    async with Farm(plan) as farm, MailClient(farm.edge_address) as client:
        await client.begun()
        edge = farm.child("edge")
        edge.terminate()
        await eventually(lambda: '"draining"' in edge.log_tail())
        await client.send(b"text", b".", *ENVELOPE, b"DATA")
        assert (await client.reply()).code == 250
        assert (await client.reply()).code == 421
        client.abort()
        await eventually(lambda: edge.exit_code is not None)
    assert far.message_count == 1


async def test_the_deadline_cuts_what_never_ends_and_releases_nothing(
    far: FarServer, tmp_path: Path
) -> None:
    plan = FarmPlan(directory=tmp_path, upstream=far.address, drain_deadline_s=1)
    async with Farm(plan) as farm, MailClient(farm.edge_address) as client:
        await client.begun()
        await client.send_octets(b"half a message")
        edge = farm.child("edge")
        edge.terminate()
        assert (await client.reply()).code == 451
        client.abort()
        await eventually(lambda: edge.exit_code is not None)
    assert far.message_count == 0
