"""Reaching a server, and in how many ways it cannot be reached."""

import socket

import pytest

from edge_proxy.links.connect import NotConnected, Route, connect
from edge_proxy.links.link import Link
from edge_proxy.links.open_links import OpenLinks
from edge_proxy.relay.actions import Loss
from smtpgated_contracts.values.mail import Endpoint
from tests.support.eventually import eventually
from tests.support.link_pair import Owner


def endpoint_of(listening: socket.socket) -> Endpoint:
    return Endpoint("127.0.0.1", listening.getsockname()[1])


async def loss_of(destination: Endpoint, outgoing: str = "", timeout_s: float = 20.0) -> Loss:
    open_links = OpenLinks()
    with pytest.raises(NotConnected) as failure:
        await connect(
            Route(destination, outgoing), timeout_s, Link(lambda _link: Owner(), open_links)
        )
    assert len(open_links) == 0
    return failure.value.loss


async def test_a_connected_link_has_begun() -> None:
    owner, open_links = Owner(), OpenLinks()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        link = Link(lambda _link: owner, open_links)
        await connect(Route(endpoint_of(listening), "127.0.0.7"), 20.0, link)
        accepted, source = listening.accept()
        accepted.close()
        assert owner.told[0] == "began"
        assert source[0] == "127.0.0.7"
        link.abort()
        await eventually(lambda: len(open_links) == 0)


async def test_nobody_listens() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        assert await loss_of(endpoint_of(bound)) is Loss.REFUSED


async def test_nobody_answers() -> None:
    with socket.socket() as listening, socket.socket() as one, socket.socket() as two:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for filler in (one, two):
            filler.setblocking(False)
            filler.connect_ex(listening.getsockname())
        assert await loss_of(endpoint_of(listening), timeout_s=0.1) is Loss.TIMEOUT


async def test_an_outgoing_address_that_is_not_ours() -> None:
    assert await loss_of(Endpoint("127.0.0.1", 9), "192.0.2.1") is Loss.UNREACHABLE


async def test_an_outgoing_address_of_the_other_family() -> None:
    assert await loss_of(Endpoint("127.0.0.1", 9), "::1") is Loss.UNREACHABLE


async def test_a_name_that_nobody_has() -> None:
    assert await loss_of(Endpoint("no-such-host.invalid", 25)) is Loss.UNREACHABLE


async def test_a_connect_that_is_given_up_leaves_no_link() -> None:
    """At the moment it stands already, and the call that made it has not returned yet."""
    open_links = OpenLinks()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        link = Link(lambda _link: Owner(), open_links)
        with pytest.raises(NotConnected):
            await connect(Route(endpoint_of(listening)), 0.0, link)
    assert len(open_links) == 0


@pytest.fixture
def marks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Marks that were set; setting one takes a privilege, so here nobody does."""
    seen: list[int] = []
    monkeypatch.setattr("edge_proxy.links.connect.set_mark", lambda _made, mark: seen.append(mark))
    return seen


async def test_a_marked_connection_begins_as_any_other(marks: list[int]) -> None:
    owner, open_links = Owner(), OpenLinks()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        link = Link(lambda _link: owner, open_links)
        await connect(Route(endpoint_of(listening), "127.0.0.7", mark=7), 20.0, link)
        accepted, source = listening.accept()
        accepted.close()
        assert owner.told[0] == "began"
        assert source[0] == "127.0.0.7"
        link.abort()
        await eventually(lambda: len(open_links) == 0)
    assert marks == [7]


async def test_a_marked_connection_fails_as_any_other(marks: list[int]) -> None:
    open_links = OpenLinks()
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(NotConnected) as failure:
            await connect(
                Route(endpoint_of(bound), mark=7), 20.0, Link(lambda _link: Owner(), open_links)
            )
    assert failure.value.loss is Loss.REFUSED
    assert marks == [7]
    assert len(open_links) == 0


@pytest.mark.usefixtures("marks")
async def test_a_marked_connect_that_is_given_up_leaves_no_link() -> None:
    open_links = OpenLinks()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        link = Link(lambda _link: Owner(), open_links)
        with pytest.raises(NotConnected):
            await connect(Route(endpoint_of(listening), mark=7), 0.0, link)
    assert len(open_links) == 0


async def test_a_customers_address_of_the_other_family_is_a_loss() -> None:
    open_links = OpenLinks()
    destination = Endpoint("127.0.0.1", 9)
    route = Route(destination, "2001:db8::1", transparent=True)
    with pytest.raises(NotConnected) as failure:
        await connect(route, 20.0, Link(lambda _link: Owner(), open_links))
    assert failure.value.loss is Loss.UNREACHABLE
