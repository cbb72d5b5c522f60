"""Asking a router's proxy-helper, over real sockets: what is lost, late, forged or wrong."""

import asyncio
from collections.abc import Sequence

import pytest

from edge_proxy.interception.proxy_helper import Asking, ProxyHelper
from edge_proxy.ports import Found, NotFound
from lab.ports import free_port
from rulebook.networks import NetworkSet
from service_kit.tasks import Tasks
from smtpgated_contracts.values.mail import Endpoint
from tests.support.arrivals import arrival, not_found
from tests.support.eventually import eventually
from tests.support.helper_daemon import found, helper_daemon
from tests.support.helper_daemon import not_found as says_not_found

ROUTER = Endpoint("127.0.0.1", 58480)
HERE = Endpoint("127.0.0.3", 9191)
PEERS = NetworkSet.parse(["127.0.0.0/29"])
FAR = Endpoint("198.51.100.25", 25)
SECRET = bytes.fromhex("11223344")


def asks(
    port: int, *, attempts: int = 1, timeout_s: float = 20.0, check: bool = False
) -> ProxyHelper:
    return ProxyHelper(PEERS, Asking(port, attempts, timeout_s, SECRET, check))


def right(query: bytes, _before: int) -> Sequence[bytes]:
    return [found(query, destination=FAR.address, port=FAR.port, identity=b"abc/def")]


async def test_the_router_says_where_to_and_who() -> None:
    async with helper_daemon(right) as daemon:
        result = await asks(daemon.port).find(arrival(ROUTER, HERE))
    assert result == Found(ROUTER, FAR, "abc/def")
    (question,) = daemon.questions
    assert question[:4] + question[8:] == bytes.fromhex(
        "52504844 11223344 0402 0001 7f000001 7f000003 e470 23e7"
    ) + bytes(38)
    assert daemon.askers[0][0] == HERE.address


async def test_every_search_has_a_cookie_of_its_own() -> None:
    async with helper_daemon(right) as daemon:
        for _ in range(8):
            await asks(daemon.port).find(arrival(ROUTER, HERE))
    assert len({question[4:8] for question in daemon.questions}) == 8


async def test_a_lost_question_is_asked_again_with_the_same_cookie() -> None:
    def third_time(query: bytes, before: int) -> Sequence[bytes]:
        return right(query, before) if before >= 2 else []

    async with helper_daemon(third_time) as daemon:
        helper = asks(daemon.port, attempts=20, timeout_s=0.1)
        result = await helper.find(arrival(ROUTER, HERE))
    assert result.original_destination == FAR
    assert len(daemon.questions) >= 3
    assert len(set(daemon.questions)) == 1


async def test_an_answer_to_an_earlier_attempt_is_good_too() -> None:
    async with helper_daemon(lambda _query, _before: []) as daemon, Tasks() as tasks:
        helper = asks(daemon.port, attempts=20, timeout_s=1.0)
        search = tasks.spawn(helper.find(arrival(ROUTER, HERE)), name="search")
        await eventually(lambda: len(daemon.questions) >= 2)
        (datagram,) = right(daemon.questions[0], 0)
        daemon.transport.sendto(datagram, daemon.askers[0])
        async with asyncio.timeout(20):
            assert (await search).original_destination == FAR


async def test_a_silent_router_has_not_answered() -> None:
    async with helper_daemon(lambda _query, _before: []) as daemon:
        helper = asks(daemon.port, attempts=2, timeout_s=0.01)
        nothing = await not_found(helper, arrival(ROUTER, HERE))
    assert nothing.why is NotFound.NO_ANSWER
    assert len(daemon.questions) == 2


async def test_a_router_where_nobody_listens_has_not_answered() -> None:
    helper = asks(free_port("127.0.0.1").port, attempts=2, timeout_s=0.05)
    nothing = await not_found(helper, arrival(ROUTER, HERE))
    assert nothing.why is NotFound.NO_ANSWER


async def test_a_router_that_does_not_know() -> None:
    async with helper_daemon(lambda query, _: [says_not_found(query)]) as daemon:
        nothing = await not_found(asks(daemon.port), arrival(ROUTER, HERE))
    assert nothing.why is NotFound.UNKNOWN


def altered(place: int, octets: bytes) -> bytes:
    """What is XORed into the right answer, as an answer."""
    return bytes(place) + octets + bytes(66 - place - len(octets))


WRONG = [
    ("magic", altered(0, b"\x01")),
    ("cookie", altered(7, b"\x01")),
    ("version", altered(12, b"\x04\x02")),
    ("a question", altered(14, b"\x00\x03")),
    ("neither found nor not", altered(14, b"\x00\x10")),
]


@pytest.mark.parametrize("difference", [row[1] for row in WRONG], ids=[row[0] for row in WRONG])
async def test_a_wrong_answer_is_passed_over_and_the_right_one_taken(difference: bytes) -> None:
    def wrong(query: bytes) -> bytes:
        (answer,) = right(query, 0)
        return bytes(a ^ b for a, b in zip(answer, difference, strict=True))

    async with helper_daemon(lambda query, _: [wrong(query)]) as daemon:
        helper = asks(daemon.port, attempts=5, timeout_s=0.05)
        nothing = await not_found(helper, arrival(ROUTER, HERE))
        assert nothing.why is NotFound.BAD_ANSWER

    async with helper_daemon(lambda query, n: [wrong(query), *right(query, n)]) as daemon:
        result = await asks(daemon.port).find(arrival(ROUTER, HERE))
        assert result.original_destination == FAR


@pytest.mark.parametrize("length", [0, 65, 67, 1400])
async def test_an_answer_of_another_size_is_passed_over(length: int) -> None:
    def wrong(query: bytes, before: int) -> Sequence[bytes]:
        (answer,) = right(query, before)
        return [(answer + bytes(1400))[:length], answer]

    async with helper_daemon(wrong) as daemon:
        result = await asks(daemon.port).find(arrival(ROUTER, HERE))
    assert result.original_destination == FAR


@pytest.mark.parametrize("source", ["127.0.0.1", "127.0.0.2"])
async def test_only_the_port_and_address_that_were_asked_are_heard(source: str) -> None:
    async with helper_daemon(lambda _query, _before: []) as daemon, Tasks() as tasks:
        search = tasks.spawn(asks(daemon.port).find(arrival(ROUTER, HERE)), name="search")
        await eventually(lambda: daemon.questions)
        forged = found(daemon.questions[0], destination="203.0.113.66", port=25)
        daemon.forge(forged, source)
        (datagram,) = right(daemon.questions[0], 0)
        daemon.transport.sendto(datagram, daemon.askers[0])
        async with asyncio.timeout(20):
            assert (await search).original_destination == FAR


async def test_a_secret_that_is_checked_must_come_back() -> None:
    def with_secret(query: bytes, before: int) -> Sequence[bytes]:
        (answer,) = right(query, before)
        return [answer[:8] + query[8:12] + answer[12:]]

    async with helper_daemon(right) as daemon:
        helper = asks(daemon.port, attempts=5, timeout_s=0.05, check=True)
        nothing = await not_found(helper, arrival(ROUTER, HERE))
        assert nothing.why is NotFound.BAD_ANSWER
        assert "not our secret" in str(nothing)
    async with helper_daemon(with_secret) as daemon:
        result = await asks(daemon.port, check=True).find(arrival(ROUTER, HERE))
        assert result.original_destination == FAR


async def test_a_router_that_names_no_destination_is_not_believed() -> None:
    async with helper_daemon(
        lambda query, _: [found(query, destination="224.0.0.1", port=25)]
    ) as daemon:
        nothing = await not_found(asks(daemon.port), arrival(ROUTER, HERE))
    assert nothing.why is NotFound.BAD_ANSWER


async def test_who_is_not_listed_is_not_asked() -> None:
    async with helper_daemon(right) as daemon:
        stranger = arrival(Endpoint("127.0.0.8", 4711), HERE)
        nothing = await not_found(asks(daemon.port), stranger)
    assert nothing.why is NotFound.NOT_ALLOWED
    assert daemon.questions == []


async def test_ipv6_is_beyond_the_protocol() -> None:
    helper = ProxyHelper(NetworkSet.parse(["::/0"]), Asking(114, 1, 1.0, SECRET, False))
    nothing = await not_found(helper, arrival(Endpoint("::1", 1), Endpoint("::1", 2)))
    assert nothing.why is NotFound.UNKNOWN
    assert "IPv4 only" in str(nothing)
