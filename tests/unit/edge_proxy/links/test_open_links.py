"""Who is counted, and who is still there when a worker ends."""

import asyncio

from edge_proxy.links.open_links import OpenLinks
from service_kit.tasks import Tasks
from tests.support.eventually import turns


class FakeLink:
    def __init__(self, open_links: OpenLinks) -> None:
        self._open_links = open_links
        self.aborted = False
        open_links.add(self)

    def abort(self) -> None:
        self.aborted = True
        asyncio.get_running_loop().call_soon(self._open_links.remove, self)


async def test_close_waits_for_the_last_to_be_gone() -> None:
    open_links = OpenLinks()
    one, two = FakeLink(open_links), FakeLink(open_links)
    async with Tasks() as tasks:
        closing = tasks.spawn(open_links.close(60), name="closing")
        open_links.remove(one)
        await turns()
        assert not closing.done()
        open_links.remove(two)
        await closing
    assert [one.aborted, two.aborted] == [False, False]


async def test_close_aborts_those_who_stay_too_long() -> None:
    open_links = OpenLinks()
    link = FakeLink(open_links)
    await open_links.close(0)
    assert link.aborted
    assert len(open_links) == 0


async def test_close_without_links_returns_at_once() -> None:
    await OpenLinks().close(60)
