"""Who is told to leave, when, and who is waited for. The clock stands still unless turned."""

from collections.abc import AsyncIterator

import pytest

from edge_proxy import drain as module
from edge_proxy.drain import drain
from edge_proxy.links.open_links import OpenLinks
from edge_proxy.ports import RunningSession
from edge_proxy.registry import Registry
from service_kit.clock import ManualClock
from service_kit.lifecycle import Lifecycle
from service_kit.tasks import Tasks
from smtpgated_contracts.values.mail import EdgeId, Endpoint, SessionId, SessionRef
from tests.support.eventually import eventually, turns

DEADLINE_S = 20.0
PATIENCE_S = 2.0


class Session:
    """As much of a conductor as a drain sees."""

    def __init__(self, *, has_begun_mail: bool = False) -> None:
        self.has_begun_mail = has_begun_mail
        self.told = 0
        self.cut = False

    def lock_changed(self) -> None:
        """Of no concern here."""

    def load_changed(self) -> None:
        """Nor this."""

    def drain(self) -> None:
        self.told += 1

    def shut_down(self) -> None:
        self.cut = True


class Edge:
    """A worker that is to drain, with the sessions a test gives it."""

    def __init__(self) -> None:
        self.arrivals = 0
        self.clock = ManualClock()
        self.registry: Registry[RunningSession] = Registry()
        self.lifecycle = Lifecycle(DEADLINE_S, clock=self.clock, signals=())

    def add(self, session: Session) -> SessionRef:
        place = Endpoint("192.0.2.1", 25)
        ref = SessionRef(SessionId(f"s{len(self.registry)}"), EdgeId("e"), place, place)
        self.registry.add(ref, session)
        return ref

    async def drain(self) -> None:
        self.lifecycle.begin_drain("test")
        await drain(self.registry, self, OpenLinks(), self.lifecycle, PATIENCE_S)


@pytest.fixture
async def edge(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Edge]:
    monkeypatch.setattr(module, "_LOOK_EVERY_S", 0)
    edge = Edge()
    yield edge
    edge.lifecycle.close()


async def test_who_has_begun_a_message_is_told_at_once_and_only_once(edge: Edge) -> None:
    session = Session(has_begun_mail=True)
    ref = edge.add(session)
    async with Tasks() as tasks:
        draining = tasks.spawn(edge.drain(), name="drain")
        await eventually(lambda: session.told)
        await turns()
        edge.registry.remove(ref)
        await draining
    assert (session.told, session.cut) == (1, False)


async def test_who_has_not_is_told_when_he_has_or_when_patience_ends(edge: Edge) -> None:
    one, two = Session(), Session()
    refs = [edge.add(one), edge.add(two)]
    async with Tasks() as tasks:
        draining = tasks.spawn(edge.drain(), name="drain")
        await turns()
        assert (one.told, two.told) == (0, 0)
        one.has_begun_mail = True
        await eventually(lambda: one.told)
        assert two.told == 0
        edge.clock.advance(PATIENCE_S)
        await eventually(lambda: two.told)
        for ref in refs:
            edge.registry.remove(ref)
        await draining


async def test_a_connection_that_is_no_session_yet_is_waited_for(edge: Edge) -> None:
    edge.arrivals = 1
    session = Session(has_begun_mail=True)
    async with Tasks() as tasks:
        draining = tasks.spawn(edge.drain(), name="drain")
        await turns()
        assert not draining.done()
        edge.arrivals, ref = 0, edge.add(session)
        await eventually(lambda: session.told)
        edge.registry.remove(ref)
        await draining


async def test_at_the_deadline_the_rest_is_cut(edge: Edge) -> None:
    session = Session()
    edge.add(session)
    async with Tasks() as tasks:
        draining = tasks.spawn(edge.drain(), name="drain")
        await turns()
        edge.clock.advance(DEADLINE_S)
        await draining
    assert session.cut
