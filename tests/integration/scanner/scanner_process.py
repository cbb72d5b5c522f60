"""The scanner as an operator runs it: a process, a file of configuration, a port, a log."""

import asyncio
import json
import re
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import grpc.aio
from grpc_health.v1 import health_pb2

from service_kit.tls import TlsSettings
from smtpgated.common.v1 import mail_pb2
from smtpgated.scan.v1 import scan_pb2
from smtpgated.scan.v1.scan_pb2_grpc import ScanServiceStub
from smtpgated_contracts.marshalling.scan import verdict_from_wire
from smtpgated_contracts.values.scan import Verdict
from tests.support.eventually import eventually

if TYPE_CHECKING:  # exists in the typed stubs only
    from smtpgated.scan.v1.scan_pb2_grpc import ScanServiceAsyncStub

PATIENCE_S: Final = 60.0
SERVICE: Final = "smtpgated.scan.v1.ScanService"
SERVING: Final = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING: Final = health_pb2.HealthCheckResponse.NOT_SERVING
PART_OCTETS: Final = 256 * 1024
LISTEN: Final = '[listen]\naddress = "127.0.0.1:0"\n'

_HERE = mail_pb2.Endpoint(address="127.0.0.1", port=25)
_SESSION = mail_pb2.SessionRef(
    session_id="session-1", edge_id="edge-1", source=_HERE, original_destination=_HERE
)
_ENVELOPE = mail_pb2.Envelope(helo=b"me", reverse_path=b"a@b.example", recipients=[b"c@d.example"])
OPENING: Final = scan_pb2.ScanOpening(session=_SESSION, transaction=1)


class ScannerProcess:
    """``events``: the lines of its log so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.events: list[dict[str, Any]] = []
        self.said: list[str] = []

    async def read_log(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            try:
                self.events.append(json.loads(line))
            except ValueError:
                self.said.append(line.decode())

    def named(self, event: str) -> list[dict[str, Any]]:
        return [each for each in self.events if each["event"] == event]

    async def port(self) -> int:
        await eventually(lambda: self.named("listening"), PATIENCE_S)
        return int(self.named("listening")[0]["port"])

    def peak_octets(self) -> int:
        """The most memory it has had so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (kibibytes,) = re.findall(r"VmHWM:\s+(\d+) kB", status)
        return int(kibibytes) * 1024

    def children(self) -> list[Path]:
        """Folders in /proc of the processes it has started."""
        pid = self.process.pid
        told = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [Path("/proc") / child for child in told.split()]

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)


@asynccontextmanager
async def scanner_process(folder: Path, configuration: str) -> AsyncIterator[ScannerProcess]:
    """Started, not necessarily listening yet; ended afterwards, whatever happened."""
    file = folder / "scanner.toml"
    file.write_text(configuration)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "scanner", "run", "-c", str(file), stderr=asyncio.subprocess.PIPE
    )
    running = ScannerProcess(process)
    async with asyncio.TaskGroup() as group:
        log = group.create_task(running.read_log())
        try:
            yield running
        finally:
            if process.returncode is None:
                running.terminate()
            async with asyncio.timeout(PATIENCE_S):
                await process.wait()
            await log


class Caller:
    """Scans as an edge asks for them."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel
        self.stub: ScanServiceAsyncStub = ScanServiceStub(channel)

    async def scan(self, content: bytes, timeout_s: float = PATIENCE_S) -> Verdict:
        request = scan_pb2.ScanRequest(opening=OPENING, content=content, envelope=_ENVELOPE)
        return verdict_from_wire(await self.stub.Scan(request, timeout=timeout_s))

    async def stream(self, content: bytes, timeout_s: float = PATIENCE_S) -> Verdict:
        return verdict_from_wire(
            await self.stub.ScanStream(iter(parts(content)), timeout=timeout_s)
        )

    async def becomes(self, status: int) -> None:
        """Returns when the scanner's health is ``status``: SERVING or NOT_SERVING."""
        watch = self.channel.unary_stream(
            "/grpc.health.v1.Health/Watch",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        request = health_pb2.HealthCheckRequest(service=SERVICE)
        async for answer in watch(request, timeout=PATIENCE_S):
            if answer.status == status:
                return
        raise AssertionError("the health service ended")


def parts(content: bytes) -> Iterator[scan_pb2.ScanPart]:
    yield scan_pb2.ScanPart(opening=OPENING)
    for start in range(0, len(content), PART_OCTETS):
        yield scan_pb2.ScanPart(content=content[start : start + PART_OCTETS])
    yield scan_pb2.ScanPart(closing=scan_pb2.ScanClosing(envelope=_ENVELOPE))


@asynccontextmanager
async def calling(port: int, tls: TlsSettings | None = None) -> AsyncIterator[Caller]:
    target = f"localhost:{port}"
    channel = (
        grpc.aio.insecure_channel(target)
        if tls is None
        else grpc.aio.secure_channel(target, tls.channel_credentials())
    )
    async with channel:
        yield Caller(channel)


@asynccontextmanager
async def scanner(folder: Path, engines: str) -> AsyncIterator[tuple[ScannerProcess, Caller]]:
    """A scanner that listens, with these tables behind [listen], and calls to it."""
    async with (
        scanner_process(folder, LISTEN + engines) as process,
        calling(await process.port()) as caller,
    ):
        yield process, caller
