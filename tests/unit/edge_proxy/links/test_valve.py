"""A transport is touched when its state changes, and not when it is closing."""

import asyncio

from edge_proxy.links.valve import Valve


class FakeTransport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.touched: list[str] = []
        self.closing = False

    def is_closing(self) -> bool:
        return self.closing

    def pause_reading(self) -> None:
        self.touched.append("pause")

    def resume_reading(self) -> None:
        self.touched.append("resume")


def test_only_changes_touch_the_transport() -> None:
    transport = FakeTransport()
    valve = Valve(transport)
    for wanted in (True, False, False, True, True):
        valve.set_open(wanted)
    assert transport.touched == ["pause", "resume"]


def test_a_closing_transport_is_left_alone() -> None:
    transport = FakeTransport()
    valve = Valve(transport)
    transport.closing = True
    valve.set_open(False)
    assert transport.touched == []
