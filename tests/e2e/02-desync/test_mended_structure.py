"""What a server makes of odd line ends must not be another message than the scanner judged.

EICAR is attached so that a scanner sees no attachment, only text, unless somebody mends the
lines: drops the dot behind a bare LF, the second CR of CRCRLF, or what stands behind a NUL. A
server that does so delivers the attachment. Judged by a real clamd, as sent and as delivered.
"""

import socket
import struct
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab import messages
from tests.support.desync.far_sides import FAR_SIDES
from tests.support.edge import InnerEdge, inner_edge
from tests.support.engines import PeerMissing, RunningClamd, clamd_running, skip_or_fail
from tests.support.eventually import eventually
from tests.support.fake_farm import FakeFarm, fake_farm
from tests.support.far_side import FarSide
from tests.support.mail_client import MailClient
from tests.support.uvloop_only import pytest_asyncio_loop_factories

__all__ = ["pytest_asyncio_loop_factories"]


def behind_lf(line: bytes) -> bytes:
    return b"\n." + line if line else b"\n"


def with_a_cr_too_many(line: bytes) -> bytes:
    return line + b"\r\r\n"


def with_a_nul(line: bytes) -> bytes:
    return line + b"\0AAAA\r\n" if line else b"\r\n"


WAYS = {way.__name__: way for way in (behind_lf, with_a_cr_too_many, with_a_nul)}


@dataclass(frozen=True, slots=True)
class Scene:
    name: str
    far: FarSide
    farm: FakeFarm
    edge: InnerEdge

    async def delivered(self, content: bytes) -> bytes | None:
        """As the server keeps it; None when it was refused."""
        known = set(self.far.messages())
        async with MailClient(self.edge.address) as client:
            await client.greeted()
            if (await client.deliver(content)).code != 250:
                return None
        await eventually(lambda: set(self.far.messages()) - known)
        (message,) = set(self.far.messages()) - known
        return message


@pytest.fixture(scope="module")
def clamd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningClamd]:
    try:
        with clamd_running(tmp_path_factory.mktemp("clamd")) as running:
            yield running
    except PeerMissing as missing:
        skip_or_fail(missing)


@pytest.fixture(params=FAR_SIDES)
async def scene(request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    with FAR_SIDES[request.param].new() as far:
        before = {"destination": {"server": str(far.address)}}
        async with fake_farm() as farm, inner_edge(farm, before) as edge:
            yield Scene(request.param, far, farm, edge)


def is_infected(clamd: RunningClamd, content: bytes) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(Path(clamd.address)))
        size = struct.pack("!I", len(content))
        connection.sendall(b"zINSTREAM\0" + size + content + struct.pack("!I", 0))
        answer = connection.recv(1024)
    assert answer.endswith((b"OK\0", b"FOUND\0")), answer
    return answer.endswith(b"FOUND\0")


async def test_what_is_delivered_is_no_worse_than_what_was_scanned(
    scene: Scene, clamd: RunningClamd
) -> None:
    header, _, body = messages.eicar_attached().content.partition(b"\r\n\r\n")
    passed: set[str] = set()
    for name, way in WAYS.items():
        written = b"".join(map(way, body.split(b"\r\n")))
        delivered = await scene.delivered(header + b"\r\n\r\n" + written + b"\r\n")
        if delivered is None:
            continue
        scanned = scene.farm.scanner.scans[-1].content
        if is_infected(clamd, delivered) and not is_infected(clamd, scanned):
            passed.add(name)
    assert not passed, f"{scene.name} makes an attachment of what was scanned as text"
