"""What a tunnel carried is told once, in parts."""

import asyncio
from dataclasses import dataclass

import pytest

from edge_proxy import tunnel_meter
from edge_proxy.ports import Report
from edge_proxy.tunnel_meter import TunnelMeter
from smtpgated_contracts.values.mail import Envelope
from smtpgated_contracts.values.reported import Tunnelled
from tests.contract.policy.samples import session
from tests.support.eventually import eventually


@dataclass
class Carried:
    octets_up: int = 0
    messages: int = 0


class Told:
    def __init__(self) -> None:
        self.reports: list[Tunnelled] = []

    def report(self, report: Report) -> None:
        assert isinstance(report, Tunnelled)
        self.reports.append(report)


def meter(told: Told, carried: Carried, auth_user: bytes = b"") -> TunnelMeter:
    return TunnelMeter(told, lambda: session("a"), carried, auth_user, ("p",))


async def test_what_came_since_is_told_and_the_rest_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tunnel_meter, "EVERY_S", 0.001)
    told, carried = Told(), Carried(1000, 2)
    measured = meter(told, carried, b"joe")
    await eventually(lambda: told.reports)
    carried.octets_up, carried.messages = 1500, 2
    await eventually(lambda: len(told.reports) == 2)
    carried.octets_up, carried.messages = 9500, 5
    measured.stop()
    assert sum(each.octets for each in told.reports) == 9500
    assert sum(each.messages for each in told.reports) == 5
    first = told.reports[0]
    assert first.envelope == Envelope(authenticated=True, auth_user=b"joe")
    assert (first.session, first.profiles) == (session("a"), ("p",))


async def test_a_tunnel_that_carried_nothing_tells_nothing() -> None:
    told = Told()
    measured = meter(told, Carried())
    measured.stop()
    await asyncio.sleep(0)
    assert told.reports == []
