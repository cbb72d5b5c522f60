"""A router or a load balancer is asked where to: what comes of it for the client, the log, the
metrics. The far server is on 127.0.0.1, the router (our client's seeming address) on 127.0.0.2.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from edge_proxy import metrics
from edge_proxy.interception.proxy_v2_wire import render
from edge_proxy.metrics import WayIn
from edge_proxy.ports import NotFound
from lab.ports import free_port
from lab.raw_client import Reply
from smtpgated_contracts.values.mail import Endpoint
from tests.support.edge import Edge, edge_process, inner_edge
from tests.support.eventually import eventually
from tests.support.fake_farm import FakeFarm
from tests.support.helper_daemon import found, helper_daemon, not_found
from tests.support.ident_daemon import ident_daemon, origin

ROUTER = "127.0.0.2"
STRANGER = "127.0.0.9"
PEERS = [f"{ROUTER}/32"]
CUSTOMER = "203.0.113.7"


@asynccontextmanager
async def edge_that(farm: FakeFarm, mode: str, **tables: object) -> AsyncIterator[Edge]:
    """An edge whose mode is this, with the tables of ``[destination]``."""
    destination = {"mode": mode, "server": None, **tables}
    async with inner_edge(farm, {"destination": destination}) as edge:
        yield edge


def counted(mode: WayIn, why: NotFound) -> float:
    count: float = metrics.NO_DESTINATION(mode, why)._value.get()
    return count


async def told_instead(
    edge: Edge, mode: WayIn, why: NotFound, *says: bytes, source: str = ROUTER
) -> Reply:
    """What the client hears that cannot be served; it is counted and logged as that."""
    before = counted(mode, why)
    async with edge.client(source) as client:
        for octets in says:
            await client.send_octets(octets)
        reply = await client.reply()
        assert await client.rest() == b""
    assert counted(mode, why) == before + 1
    (logged,) = edge.said("turned away")
    assert logged["source"].startswith(source)
    assert logged["reason"].startswith(why.value)
    return reply


async def serves(edge: Edge, *says: bytes) -> None:
    """A whole message passes."""
    async with edge.client(ROUTER) as client:
        for octets in says:
            await client.send_octets(octets)
        await client.greeted()
        assert (await client.deliver(b"Subject: x\r\n\r\nhello\r\n")).code == 250
        await client.quit()


# ident


async def test_ident_answers(farm: FakeFarm) -> None:
    answer = origin(farm.far.address.host, farm.far.address.port, "subscriber-17")
    async with ident_daemon(answer, ROUTER) as daemon:
        table = {"peers": PEERS, "port": daemon.port}
        async with edge_that(farm, "ident", ident=table) as edge:
            await serves(edge)
            session = await edge.until_said("session")
            assert session["identity"] == "subscriber-17"
            assert [each.identity for each in farm.policy.opened] == ["subscriber-17"]
            assert daemon.questions[0].endswith(b" , %d\r\n" % edge.address.port)
    assert len(farm.far.messages) == 1


async def test_ident_knows_nothing(farm: FakeFarm) -> None:
    async with ident_daemon(lambda a, b: [f"{a},{b}:ERROR:NO-USER".encode()], ROUTER) as daemon:
        table = {"peers": PEERS, "port": daemon.port}
        async with edge_that(farm, "ident", ident=table) as edge:
            reply = await told_instead(edge, WayIn.IDENT, NotFound.UNKNOWN)
    assert (reply.code, reply.text) == (421, "4.4.0 Destination unknown now, try again later")
    assert len(farm.far.sessions) == 0


async def test_ident_says_rubbish(farm: FakeFarm) -> None:
    async with ident_daemon(lambda _a, _b: [b"x" * 5000], ROUTER) as daemon:
        table = {"peers": PEERS, "port": daemon.port}
        async with edge_that(farm, "ident", ident=table) as edge:
            assert (await told_instead(edge, WayIn.IDENT, NotFound.BAD_ANSWER)).code == 421


async def test_ident_is_silent(farm: FakeFarm) -> None:
    async with ident_daemon(None, ROUTER) as daemon:
        table = {"peers": PEERS, "port": daemon.port}
        async with edge_that(farm, "ident", ident=table, lookup_timeout_s=0.1) as edge:
            assert (await told_instead(edge, WayIn.IDENT, NotFound.NO_ANSWER)).code == 421
            await eventually(daemon.left.is_set)


async def test_a_stranger_is_not_asked_about(farm: FakeFarm) -> None:
    table = {"peers": PEERS, "port": free_port(ROUTER).port}
    async with edge_that(farm, "ident", ident=table) as edge:
        reply = await told_instead(edge, WayIn.IDENT, NotFound.NOT_ALLOWED, source=STRANGER)
    assert (reply.code, reply.text) == (554, "5.7.1 Access denied")


# proxy-helper


async def test_the_proxy_helper_answers(farm: FakeFarm) -> None:
    far = farm.far.address

    def answer(query: bytes, _before: int) -> Sequence[bytes]:
        return [found(query, destination=far.host, port=far.port, identity=b"subscriber-18")]

    async with helper_daemon(answer, ROUTER) as daemon:
        table = {"peers": PEERS, "port": daemon.port}
        async with edge_that(farm, "proxy-helper", proxy_helper=table) as edge:
            await serves(edge)
            assert (await edge.until_said("session"))["identity"] == "subscriber-18"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda query, _: [not_found(query)], NotFound.UNKNOWN),
        (lambda query, _: [query], NotFound.BAD_ANSWER),
        (lambda _query, _: [], NotFound.NO_ANSWER),
    ],
    ids=["does not know", "echoes", "is silent"],
)
async def test_the_proxy_helper_has_no_answer(farm: FakeFarm, answer: Any, why: NotFound) -> None:
    async with helper_daemon(answer, ROUTER) as daemon:
        table = {"peers": PEERS, "port": daemon.port, "attempts": 3, "attempt_timeout_s": 0.2}
        async with edge_that(farm, "proxy-helper", proxy_helper=table) as edge:
            assert (await told_instead(edge, WayIn.PROXY_HELPER, why)).code == 421
    assert len(farm.far.sessions) == 0


# PROXY protocol

PROXY: Mapping[str, Any] = {"proxy_protocol": {"peers": PEERS}, "identity_tlv": 0xE1}


def line(farm: FakeFarm) -> bytes:
    far = farm.far.address
    return f"PROXY TCP4 {CUSTOMER} {far.host} 50000 {far.port}\r\n".encode()


def header(farm: FakeFarm) -> bytes:
    far = Endpoint(farm.far.address.host, farm.far.address.port)
    return render(Endpoint(CUSTOMER, 50_000), far, 0xE1, b"subscriber-19")


@pytest.mark.parametrize(("begin", "identity"), [(line, ""), (header, "subscriber-19")])
async def test_a_header_says_who_came_and_where_to(
    farm: FakeFarm, begin: Any, identity: str
) -> None:
    async with edge_that(farm, "proxy-protocol", **PROXY) as edge:
        await serves(edge, *(begin(farm)[at : at + 1] for at in range(len(begin(farm)))))
        session = await edge.until_said("session")
        assert session["source"] == f"{CUSTOMER}:50000"
        assert session["identity"] == identity
    assert len(farm.far.messages) == 1


async def test_a_header_may_come_over_ipv6(farm: FakeFarm) -> None:
    far = Endpoint(f"::ffff:{farm.far.address.host}", farm.far.address.port)
    begin = render(Endpoint("2001:db8::7", 50_000), far)
    tables = {
        "listen": {"addresses": ["[::1]:0"]},
        "destination": {
            "mode": "proxy-protocol",
            "server": None,
            "proxy_protocol": {"peers": ["::1/128"]},
        },
    }
    async with inner_edge(farm, tables) as edge:
        async with edge.client("::1") as client:
            await client.send_octets(begin)
            await client.greeted()
            await client.quit()
        session = await edge.until_said("session")
        assert session["source"] == "[2001:db8::7]:50000"
        assert session["destination"] == str(farm.far.address)


async def test_commands_may_follow_the_header_in_its_slice(farm: FakeFarm) -> None:
    async with edge_that(farm, "proxy-protocol", **PROXY) as edge, edge.client(ROUTER) as client:
        await client.send_octets(header(farm) + b"EHLO me.example\r\nNOOP\r\n")
        assert [(await client.reply()).code for _ in range(3)] == [220, 250, 250]


async def test_a_header_from_elsewhere_is_refused(farm: FakeFarm) -> None:
    async with edge_that(farm, "proxy-protocol", **PROXY) as edge:
        reply = await told_instead(
            edge, WayIn.PROXY_PROTOCOL, NotFound.NOT_ALLOWED, header(farm), source=STRANGER
        )
    assert (reply.code, reply.text) == (554, "5.7.1 Access denied")


async def test_no_header_is_no_session(farm: FakeFarm) -> None:
    async with edge_that(farm, "proxy-protocol", **PROXY) as edge:
        reply = await told_instead(
            edge, WayIn.PROXY_PROTOCOL, NotFound.BAD_ANSWER, b"EHLO me.example\r\n"
        )
    assert (reply.code, reply.text) == (421, "4.4.0 Destination unknown now, try again later")


async def test_a_header_that_is_not_whole_in_time(farm: FakeFarm) -> None:
    async with edge_that(farm, "proxy-protocol", lookup_timeout_s=0.1, **PROXY) as edge:
        assert (
            await told_instead(edge, WayIn.PROXY_PROTOCOL, NotFound.NO_ANSWER, header(farm)[:-1])
        ).code == 421


async def test_a_health_check_is_no_session_and_hears_nothing(farm: FakeFarm) -> None:
    local = header(farm)[:12] + b"\x20\0\0\0"
    before = counted(WayIn.PROXY_PROTOCOL, NotFound.PROBE)
    async with edge_that(farm, "proxy-protocol", **PROXY) as edge:
        async with edge.client(ROUTER) as client:
            await client.send_octets(local)
            assert await client.rest() == b""
        assert counted(WayIn.PROXY_PROTOCOL, NotFound.PROBE) == before + 1
        assert not edge.said("turned away")
        assert not edge.said("session")
    assert len(farm.policy.opened) == 0
    assert len(farm.far.sessions) == 0


# At the start


@pytest.mark.parametrize(
    ("mode", "needs"), [("pf", "freebsd or openbsd"), ("ipfilter", "freebsd or netbsd or sunos")]
)
async def test_a_packet_filter_of_another_system_is_a_sentence(mode: str, needs: str) -> None:
    tables = {"listen": {"addresses": ["127.0.0.1:0"]}, "destination": {"mode": mode}}
    async with edge_process(tables, may_end=True) as edge:
        assert await edge.wait() == 2
    said = "".join(edge.stray_lines)
    assert f"destination.mode = {mode} needs {needs}, and this is linux" in said
    assert "Traceback" not in said
