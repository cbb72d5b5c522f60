"""See README.md beside this file."""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass

import pytest

from lab import messages
from lab.messages import Sample
from tests.support.edge import InnerEdge, inner_edge
from tests.support.eventually import eventually
from tests.support.exim import Exim
from tests.support.fake_farm import FakeFarm, fake_farm
from tests.support.fake_scanner import INFECTED_WORD
from tests.support.far_side import FarSide
from tests.support.mail_client import ENVELOPE, MailClient
from tests.support.postfix import Postfix
from tests.support.uvloop_only import pytest_asyncio_loop_factories

__all__ = ["pytest_asyncio_loop_factories"]

FAR_SIDES: dict[str, Callable[[], FarSide]] = {"Postfix": lambda: Postfix("reject"), "Exim": Exim}


@dataclass(frozen=True, slots=True)
class Scene:
    """A server, and an edge with a recording scanner before it."""

    far: FarSide
    farm: FakeFarm
    edge: InnerEdge

    async def stored(self, text: bytes, count: int = 1) -> list[bytes]:
        """So many messages that contain this, with CRLF again."""

        def found() -> list[bytes]:
            return [each for each in self.far.messages() if text in each]

        await eventually(lambda: len(found()) >= count)
        return [each.replace(b"\n", b"\r\n") for each in found()]

    def scanned(self) -> list[bytes]:
        return [each.content for each in self.farm.scanner.scans]


@pytest.fixture(scope="module", params=FAR_SIDES)
def far(request: pytest.FixtureRequest) -> Iterator[FarSide]:
    with FAR_SIDES[request.param]() as running:
        yield running


@pytest.fixture
async def scene(far: FarSide) -> AsyncIterator[Scene]:
    before = {"destination": {"server": str(far.address)}}
    async with fake_farm() as farm, inner_edge(farm, before) as edge:
        yield Scene(far, farm, edge)


@pytest.fixture
def sender(scene: Scene) -> Iterator[Exim]:
    """An Exim that sends everything on to the edge."""
    with Exim(onward=scene.edge.address) as running:
        yield running


def chunks(content: bytes, size: int) -> list[bytes]:
    """The commands that carry this content, the last of them with LAST."""
    parts = [content[at : at + size] for at in range(0, len(content), size)]
    lasts = [b""] * (len(parts) - 1) + [b" LAST"]
    return [b"BDAT %d%b\r\n%b" % (len(part), last, part)
            for part, last in zip(parts, lasts, strict=True)]  # fmt: skip


async def deliver_in_chunks(client: MailClient, content: bytes, size: int) -> list[int]:
    """One transaction, in as few slices as may be (RFC 3030 §4.2); the codes of all answers."""
    group = b"".join(line + b"\r\n" for line in ENVELOPE)
    commands = chunks(content, size)
    await client.send_octets(group + b"".join(commands))
    return [reply.code for reply in await client.replies(len(ENVELOPE) + len(commands))]


@pytest.mark.parametrize("size", [100_000, 700, 64])
async def test_what_arrives_is_what_was_sent_and_scanned(scene: Scene, size: int) -> None:
    sample = messages.clean()
    async with MailClient(scene.edge.address) as client:
        await client.greeted()
        codes = await deliver_in_chunks(client, sample.content, size)
        assert set(codes) == {250}
        await client.quit()
    (stored,) = await scene.stored(sample.message_id.encode())
    assert stored.endswith(sample.content)
    assert scene.scanned() == [sample.content]


async def test_the_server_s_session_survives_a_refusal(scene: Scene) -> None:
    infected = messages.text().content + INFECTED_WORD + b"\r\n"
    sample = messages.clean()
    begun, ended = connections(scene.far), ended_by_quit(scene.far)
    async with MailClient(scene.edge.address) as client:
        await client.greeted()
        assert (await deliver_in_chunks(client, infected, 2_000))[-1] == 550
        assert set(await deliver_in_chunks(client, sample.content, 300)) == {250}
        assert (await client.quit()).code == 221
    await scene.stored(sample.message_id.encode())
    assert not [each for each in scene.far.messages() if INFECTED_WORD in each]
    await eventually(lambda: ended_by_quit(scene.far) == ended + 1)
    assert connections(scene.far) == begun + 1


def connections(far: FarSide) -> int:
    """How many the server has seen, by its own log."""
    return len(re.findall(r"smtpd\[\d+\]: connect from|\] SMTP connection from \[", far.log()))


def ended_by_quit(far: FarSide) -> int:
    """How many were ended so; Postfix counts every command in its last line about a session."""
    return len(re.findall(r" bdat=\d+ rset=1 quit=1 | closed by QUIT", far.log()))


async def submit(sender: Exim, sample: Sample, more: bytes = b"") -> None:
    """To the sending Exim, which takes everything over."""
    async with MailClient(sender.address) as client:
        await client.greeted()
        assert (
            await client.deliver(sample.content.replace(b"\r\n.", b"\r\n..") + more)
        ).code == 250


async def test_exim_chunks_through_the_edge(scene: Scene, sender: Exim) -> None:
    sample = messages.clean()
    await submit(sender, sample)
    (stored,) = await scene.stored(sample.message_id.encode())
    assert stored.endswith(sample.content)
    (line,) = await lines_about(sender, " => b@far.example ")
    assert " K " in line, "no BDAT was used"
    (scanned,) = scene.scanned()
    assert scanned.endswith(sample.content)
    assert stored.endswith(scanned)


async def test_exim_is_told_of_a_refused_message(scene: Scene, sender: Exim) -> None:
    sample = messages.clean()
    await submit(sender, sample, INFECTED_WORD + b"\r\n")
    (line,) = await lines_about(sender, " ** b@far.example ")
    assert ": 550 " in line
    assert not [each for each in scene.far.messages() if INFECTED_WORD in each]


async def lines_about(sender: Exim, mark: str) -> list[str]:
    """What the sending Exim logged with this mark in it, once it has."""

    def found() -> list[str]:
        return [line for line in sender.log().splitlines() if mark in line]

    await eventually(found)
    return found()
