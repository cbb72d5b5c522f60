"""PROXY headers of real programs: HAProxy sends them to the edge, Postfix and HAProxy take ours."""

from collections.abc import Iterator

import pytest

from edge_proxy import metrics
from edge_proxy.interception.proxy_v2_wire import render
from edge_proxy.metrics import WayIn
from edge_proxy.ports import NotFound
from service_kit.addresses import HostPort
from smtpgated_contracts.values.mail import Endpoint
from tests.support.edge import Edge, inner_edge
from tests.support.eventually import eventually
from tests.support.fake_farm import FakeFarm
from tests.support.haproxy import haproxy
from tests.support.mail_client import MailClient
from tests.support.postfix import DOMAIN
from tests.support.proxied_postfix import ProxiedPostfix

PEERS = {"proxy_protocol": {"peers": ["127.0.0.1/32"]}}
CUSTOMER = "127.0.0.7"
MESSAGE = b"Subject: x\r\n\r\nhello\r\n"
SENDERS = pytest.mark.parametrize(
    "sends", ["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c,unique-id"]
)


async def deliver(client: MailClient) -> None:
    async with client:
        await client.greeted()
        assert (await client.deliver(MESSAGE)).code == 250
        await client.quit()


@SENDERS
async def test_haproxy_says_who_came_to_a_fixed_server(farm: FakeFarm, sends: str) -> None:
    async with inner_edge(farm, {"destination": PEERS}) as edge:
        with haproxy(edge.address, sends) as balancer:
            await deliver(MailClient(balancer, CUSTOMER))
        session = await edge.until_said("session")
        assert session["source"].startswith(f"{CUSTOMER}:")
    assert farm.far.messages[0].content == MESSAGE


@SENDERS
async def test_haproxy_says_where_a_client_was_going(farm: FakeFarm, sends: str) -> None:
    destination = {"mode": "proxy-protocol", "server": None, **PEERS}
    async with inner_edge(farm, {"destination": destination}) as edge:
        with haproxy(edge.address, sends, wanted=farm.far.address) as balancer:
            await deliver(MailClient(balancer, CUSTOMER))
        session = await edge.until_said("session")
        assert session["source"].startswith(f"{CUSTOMER}:")
    assert farm.far.messages[0].content == MESSAGE


async def test_haproxys_health_checks_are_no_sessions(farm: FakeFarm) -> None:
    probes = metrics.NO_DESTINATION(WayIn.FIXED, NotFound.PROBE)._value
    before = probes.get()
    async with inner_edge(farm, {"destination": PEERS}) as edge:
        with haproxy(edge.address, "send-proxy-v2 check-send-proxy check inter 50ms"):
            await eventually(lambda: probes.get() > before)
        assert not edge.said("session")
        assert not edge.said("turned away")


@pytest.fixture(scope="module")
def postfix() -> Iterator[ProxiedPostfix]:
    with ProxiedPostfix("no") as running:
        yield running


def introducing(how: str, server: HostPort) -> dict[str, dict[str, object]]:
    return {"destination": {"introduce": how, "server": str(server), "identity_tlv": 0xE0}}


async def deliver_to_postfix(edge: Edge) -> None:
    async with edge.client(CUSTOMER) as client:
        await client.greeted(b"MAIL FROM:<a@x.example>", b"RCPT TO:<b@%b>" % DOMAIN.encode())
        assert (await client.command(b"DATA")).code == 354
        await client.send_octets(MESSAGE + b".\r\n")
        assert (await client.reply()).code == 250
        await client.quit()


async def test_postfix_is_told_who_the_client_is(farm: FakeFarm, postfix: ProxiedPostfix) -> None:
    async with inner_edge(farm, introducing("proxy-v2", postfix.address)) as edge:
        await deliver_to_postfix(edge)
    assert f"connect from unknown[{CUSTOMER}]" in postfix.log()
    assert "connect from unknown[127.0.0.1]" not in postfix.log()
    await eventually(lambda: any(CUSTOMER.encode() in each for each in postfix.messages()))


async def test_a_chain_of_headers_keeps_client_and_identity(
    farm: FakeFarm, postfix: ProxiedPostfix
) -> None:
    tables = introducing("proxy-v2", postfix.address)
    tables["destination"] |= PEERS
    customer, wanted = Endpoint("203.0.113.7", 50_000), Endpoint("198.51.100.25", 25)
    async with inner_edge(farm, tables) as edge, edge.client() as client:
        await client.send_octets(render(customer, wanted, 0xE0, b"subscriber-17"))
        await client.greeted()
        await client.quit()
        session = await edge.until_said("session")
    assert (session["source"], session["identity"]) == (str(customer), "subscriber-17")
    assert "connect from unknown[203.0.113.7]" in postfix.log()


async def test_haproxy_takes_our_header(farm: FakeFarm) -> None:
    with haproxy(farm.far.address, "", accept_proxy=True) as balancer:
        async with inner_edge(farm, introducing("proxy-v2", balancer)) as edge:
            await deliver(edge.client(CUSTOMER))
    assert farm.far.messages[0].content == MESSAGE


async def test_without_an_introduction_postfix_waits_in_vain(
    farm: FakeFarm, postfix: ProxiedPostfix
) -> None:
    async with inner_edge(farm, introducing("none", postfix.address)) as edge:
        reply = await edge.greeting(CUSTOMER)
    assert reply.code == 421
