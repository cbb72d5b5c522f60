"""Asking a router's ident daemon, over real sockets."""

import asyncio
import itertools

import pytest

from edge_proxy.interception.ident import Ident
from edge_proxy.ports import Found, NotFound
from lab.ports import free_port
from rulebook.networks import NetworkSet
from service_kit.tasks import Tasks
from smtpgated_contracts.values.mail import Endpoint
from tests.support.arrivals import arrival, not_found
from tests.support.eventually import eventually
from tests.support.ident_daemon import Answer, ident_daemon, origin

ROUTER = Endpoint("127.0.0.1", 58018)
HERE = Endpoint("127.0.0.3", 9190)
PEERS = NetworkSet.parse(["127.0.0.0/29"])
FAR = Endpoint("198.51.100.25", 25)


async def test_the_router_says_where_to_and_who() -> None:
    async with ident_daemon(origin(FAR.address, FAR.port, "abc/def")) as daemon:
        found = await Ident(PEERS, daemon.port).find(arrival(ROUTER, HERE))
    assert found == Found(ROUTER, FAR, "abc/def")
    assert daemon.questions == [b"58018 , 9190\r\n"]
    assert daemon.askers == [HERE.address], "it is asked from where the client reached us"


async def test_an_answer_may_come_octet_by_octet() -> None:
    def slowly(theirs: str, ours: str) -> list[bytes]:
        whole = b"".join(origin(FAR.address, FAR.port, "abc")(theirs, ours))
        return [whole[at : at + 1] for at in range(len(whole))]

    async with ident_daemon(slowly) as daemon:
        found = await Ident(PEERS, daemon.port).find(arrival(ROUTER, HERE))
    assert found == Found(ROUTER, FAR, "abc")


async def test_a_daemon_that_does_not_hang_up_has_answered_all_the_same() -> None:
    async with ident_daemon(origin(FAR.address, FAR.port, "abc"), stays=True) as daemon:
        async with asyncio.timeout(20):
            found = await Ident(PEERS, daemon.port).find(arrival(ROUTER, HERE))
            await daemon.left.wait()
    assert found == Found(ROUTER, FAR, "abc")


async def test_an_identity_is_cleaned() -> None:
    async with ident_daemon(origin(FAR.address, FAR.port, "a\x1b[1mb" + "x" * 100)) as daemon:
        found = await Ident(PEERS, daemon.port).find(arrival(ROUTER, HERE))
    assert found.identity == "a?[1mb" + "x" * 58


ROUTED = origin(FAR.address, FAR.port, "x")
WRONG: list[tuple[str, Answer, NotFound]] = [
    ("does not know", lambda a, b: [f"{a},{b}:ERROR:NO-USER\r\n".encode()], NotFound.UNKNOWN),
    ("another's", lambda _a, b: ROUTED("1", b), NotFound.BAD_ANSWER),
    ("oversize", origin("198.51.100.25", 25, "x" * 1000), NotFound.BAD_ANSWER),
    ("endless", lambda _a, _b: itertools.repeat(b"x" * 65_536), NotFound.BAD_ANSWER),
    ("nothing", lambda _a, _b: [], NotFound.BAD_ANSWER),
    ("cut off", lambda a, _b: [a.encode() + b" , "], NotFound.BAD_ANSWER),
    ("doubled", lambda a, b: [b"".join(ROUTED(a, b)) * 2], NotFound.BAD_ANSWER),
    ("no destination", origin("0.0.0.0", 25, "x"), NotFound.BAD_ANSWER),
]


@pytest.mark.parametrize(("answer", "why"), [row[1:] for row in WRONG], ids=[r[0] for r in WRONG])
async def test_a_wrong_answer_is_not_believed(answer: Answer, why: NotFound) -> None:
    async with ident_daemon(answer) as daemon:
        nothing = await not_found(Ident(PEERS, daemon.port), arrival(ROUTER, HERE))
    assert nothing.why is why


async def test_nobody_listens() -> None:
    ident = Ident(PEERS, free_port("127.0.0.1").port)
    nothing = await not_found(ident, arrival(ROUTER, HERE))
    assert nothing.why is NotFound.NO_ANSWER
    assert "refused" in str(nothing)


async def test_a_search_that_is_given_up_leaves_no_connection() -> None:
    async with ident_daemon(None) as daemon, Tasks() as tasks:
        search = tasks.spawn(Ident(PEERS, daemon.port).find(arrival(ROUTER, HERE)), name="search")
        await eventually(lambda: daemon.questions)
        search.cancel()
        async with asyncio.timeout(20):
            await daemon.left.wait()


async def test_who_is_not_listed_is_not_asked() -> None:
    async with ident_daemon(origin(FAR.address, FAR.port, "abc")) as daemon:
        stranger = Endpoint("127.0.0.8", 4711)
        nothing = await not_found(Ident(PEERS, daemon.port), arrival(stranger, HERE))
    assert nothing.why is NotFound.NOT_ALLOWED
    assert daemon.questions == []


async def test_ipv6_is_beyond_the_protocol() -> None:
    ident = Ident(NetworkSet.parse(["::/0"]), 114)
    nothing = await not_found(ident, arrival(Endpoint("::1", 1), Endpoint("::1", 2)))
    assert nothing.why is NotFound.UNKNOWN
    assert "IPv4 only" in str(nothing)
