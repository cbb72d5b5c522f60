"""More sessions than a worker takes: 421 at accept, and room again when one has left."""

from service_kit.addresses import HostPort
from tests.support.edge import inner_edge
from tests.support.eventually import eventually
from tests.support.fake_farm import FakeFarm
from tests.support.status import metric

TWO = {"limits": {"sessions": 2}}


async def test_overload_is_told_at_accept(farm: FakeFarm) -> None:
    async with inner_edge(farm, TWO) as edge, edge.client() as one, edge.client() as two:
        await one.greeted()
        await two.greeted()
        async with edge.client() as third:
            reply = await third.reply()
            assert (reply.code, reply.text[:5]) == (421, "4.3.2")
            assert await third.rest() == b""
        assert len(farm.far.sessions) == 2
        assert len(farm.policy.opened) == 2

        await two.quit()
        await edge.until_said("session")
        assert (await edge.greeting()).code == 220
        assert (await one.deliver(b"hello\r\n")).code == 250


async def test_sessions_that_are_turned_away_are_counted(farm: FakeFarm) -> None:
    settings = {**TWO, "limits": {"sessions": 1}, "metrics": {"listen": "127.0.0.1:0"}}
    async with inner_edge(farm, settings) as edge, edge.client() as one:
        await one.greeted()
        status = HostPort("127.0.0.1", edge.said("listening")[0]["status_port"])
        before = await metric(status, "edge_overloaded_total")
        for _ in range(3):
            assert (await edge.greeting()).code == 421
        assert await metric(status, "edge_overloaded_total") == before + 3
        await eventually(lambda: len(edge.said("turned away", reason="worker is full")) == 3)
