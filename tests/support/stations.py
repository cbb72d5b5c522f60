"""Where a session can be when something happens to it: one station a phase, and the way there.

A station's far server says nothing where the station waits for it; ``arrive`` returns when the
session has come to a stand there.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from lab.far_server import FarPlan, Hold, Moment, Silence
from lab.far_server.plan import Twist
from tests.support.edge import InnerEdge, Tables, inner_edge
from tests.support.eventually import eventually
from tests.support.fake_farm import EVERYTHING, FakeFarm, fake_farm
from tests.support.fake_scanner import INFECTED_WORD, Step
from tests.support.mail_client import ENVELOPE, MailClient
from tests.support.wire import Wire

Way = Callable[[MailClient, FakeFarm], Awaitable[None]]
CONTENT: Final = b"Subject: x\r\n\r\nhalf a message\r\n"


@dataclass(frozen=True, slots=True)
class Station:
    arrive: Way
    at: Mapping[Moment, Twist] = field(default_factory=dict)
    scan: Step | None = None


@dataclass(frozen=True, slots=True)
class Halt:
    """A session that stands at a station. ``wire`` is the cable between edge and far server."""

    farm: FakeFarm
    edge: InnerEdge
    client: MailClient
    wire: Wire


@asynccontextmanager
async def halted_at(name: str, overrides: Tables | None = None) -> AsyncIterator[Halt]:
    station = STATIONS[name]
    async with (
        fake_farm(FarPlan(keywords=EVERYTHING, at=station.at)) as farm,
        Wire(farm.far.address) as wire,
    ):
        if station.scan is not None:
            farm.scanner.plan.append(station.scan)
        server = {"destination": {"server": wire.target}}
        async with (
            inner_edge(farm, {**server, **(overrides or {})}) as edge,
            edge.client() as client,
        ):
            await station.arrive(client, farm)
            yield Halt(farm, edge, client, wire)


async def _heard(farm: FakeFarm, verb: bytes) -> None:
    await eventually(lambda: verb in farm.far.sessions[0].verbs)


async def _to_greeting(client: MailClient, farm: FakeFarm) -> None:
    await eventually(lambda: farm.far.sessions)


async def _to_command(client: MailClient, farm: FakeFarm) -> None:
    await client.greeted()


async def _to_transaction(client: MailClient, farm: FakeFarm) -> None:
    await client.greeted(*ENVELOPE)


async def _to_reply(client: MailClient, farm: FakeFarm) -> None:
    await client.reply()
    await client.send(b"EHLO me.example")
    await _heard(farm, b"EHLO")


async def _to_replies(client: MailClient, farm: FakeFarm) -> None:
    await client.greeted(ENVELOPE[0])
    await client.send(ENVELOPE[1], ENVELOPE[1])
    await _heard(farm, b"RCPT")


async def _to_dialogue(client: MailClient, farm: FakeFarm) -> None:
    await client.greeted(b"AUTH LOGIN")


async def _to_tls(client: MailClient, farm: FakeFarm) -> None:
    await client.greeted()
    await client.send(b"STARTTLS")
    await _heard(farm, b"STARTTLS")


async def _to_go_ahead(client: MailClient, farm: FakeFarm) -> None:
    await client.greeted(*ENVELOPE)
    await client.send(b"DATA")
    await _heard(farm, b"DATA")


async def _to_content(client: MailClient, farm: FakeFarm) -> None:
    await client.begun()
    await client.send_octets(CONTENT)


async def _to_chunk(client: MailClient, farm: FakeFarm) -> None:
    await client.greeted(*ENVELOPE)
    await client.send_octets(b"BDAT 1000\r\n" + CONTENT)
    await _heard(farm, b"BDAT")


async def _to_chunks(client: MailClient, farm: FakeFarm) -> None:
    await client.greeted(*ENVELOPE)
    await client.send_octets(b"BDAT %d LAST\r\n" % len(CONTENT) + CONTENT)
    await eventually(lambda: farm.scanner.holding)


async def _to_verdict(client: MailClient, farm: FakeFarm) -> None:
    await _to_content(client, farm)
    await client.send_octets(b".\r\n")
    await eventually(lambda: farm.scanner.holding)


async def _to_end(client: MailClient, farm: FakeFarm) -> None:
    await _to_content(client, farm)
    await client.send_octets(b".\r\n")
    await farm.far.wait_for_held()


async def _to_takeover(client: MailClient, farm: FakeFarm) -> None:
    await client.greeted()
    assert (await client.deliver(INFECTED_WORD + b"\r\n")).code == 550


async def _to_tunnel(client: MailClient, farm: FakeFarm) -> None:
    await client.greeted(b"STARTTLS")
    await client.start_tls(farm.far.authority.client_context)


STATIONS: Final[Mapping[str, Station]] = {
    "greeting": Station(_to_greeting, {Moment.GREETING: Silence()}),
    "command": Station(_to_command),
    "open transaction": Station(_to_transaction),
    "await-reply": Station(_to_reply, {Moment.EHLO: Silence()}),
    "replies owed": Station(_to_replies, {Moment.RCPT: Silence()}),
    "dialogue": Station(_to_dialogue),
    "await-tls": Station(_to_tls, {Moment.STARTTLS: Silence()}),
    "await-go-ahead": Station(_to_go_ahead, {Moment.DATA: Silence()}),
    "content": Station(_to_content),
    "chunk": Station(_to_chunk),
    "await-chunks": Station(_to_chunks, {Moment.BDAT: Silence()}, scan=Step(hold=True)),
    "verdict": Station(_to_verdict, scan=Step(hold=True)),
    "end owed": Station(_to_end, {Moment.END: Hold()}),
    "takeover": Station(_to_takeover),
    "tunnel": Station(_to_tunnel),
}
