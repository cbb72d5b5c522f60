"""``python -m bench.scanner``: the scanner beside a bare loop of INSTREAM on the same clamd.

Four ways take turns, several rounds, at 1 and 16 scans at a time, 5 KB contents that all differ:
clamd alone over warm sessions, clamdscan --stream, a gRPC server that does nothing (what any
service in Python pays), the scanner. Then the same content again and again, which the scanner
remembers, with clamd alone and with spamd beside it; then one content of 25 MB, for memory. CPU is
the scanner's own. Nothing here asserts anything.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import grpc.aio
from grpc_health.v1 import health_pb2

from bench.peers import LOOPBACK, running, wait_for
from bench.usage import Machine, cpu_s, peak_rss_mib
from lab.children import Child
from lab.ports import free_port
from scanner.core.clamd_wire import OPEN_SESSION, instream
from scanner.core.content import Content
from service_kit.addresses import HostPort
from service_kit.grpc_channels import open_channel
from smtpgated.common.v1 import mail_pb2
from smtpgated.scan.v1 import scan_pb2, scan_pb2_grpc
from tests.support.engines import RunningClamd, clamd_running, spamd_running

RESULTS: Final = Path(__file__).parent / "results"
SCANS: Final = {1: 1500, 16: 3000}
OCTETS: Final = 5000
LARGE_OCTETS: Final = 25 * 1024 * 1024
PART_OCTETS: Final = 64 * 1024
FILES: Final = 300
SPAM_SCANS: Final = 80
_MIB: Final = 1024 * 1024
_HEADS: Final = (
    "scans at a time",
    "raw INSTREAM",
    "scanner / raw",
    "CPU a scan",
    "of that an empty call",
    "remembered / not",
)
_HERE: Final = mail_pb2.Endpoint(address="192.0.2.1", port=25)
_OPENING: Final = scan_pb2.ScanOpening(
    session=mail_pb2.SessionRef(
        session_id="bench", edge_id="bench", source=_HERE, original_destination=_HERE
    ),
    transaction=1,
)
_ENVELOPE: Final = mail_pb2.Envelope(helo=b"bench", reverse_path=b"a@example.org")

Scan = Callable[[bytes], Awaitable[None]]
"""Hands one content over and waits for what is said of it."""


@dataclass(slots=True)
class Way:
    """What was seen of one way at one number of scans at a time, an entry a round."""

    scans_per_s: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    def speed(self) -> float:
        return statistics.median(self.scans_per_s)

    def cpu(self) -> float:
        return statistics.median(self.cpu_ms)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.scanner", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of everything (default 3)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="smtp-gated-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        say("starting clamd and the scanner")
        clamd = stack.enter_context(clamd_running(folder / "clamd"))
        address, process = stack.enter_context(scanner(folder, clamd))
        lines = asyncio.run(_measured(folder, clamd, address, process.pid, asked.rounds))
    with tempfile.TemporaryDirectory(prefix="smtp-gated-bench-") as name, ExitStack() as stack:
        say("spamd, and 25 MB")
        folder = Path(name)
        clamd = stack.enter_context(clamd_running(folder / "clamd"))
        lines.append(_memory_line([_memory(folder, clamd) for _ in range(asked.rounds)]))
        (folder / "both").mkdir()
        spamd = stack.enter_context(spamd_running(folder / "spamd"))
        both = f'[engines.spamd]\naddress = "{spamd.address}"\n'
        address, process = stack.enter_context(scanner(folder / "both", clamd, both))
        lines.append(asyncio.run(_spam(address, process.pid)))
    say("")
    text = "\n".join((f"Scans, measured on {Machine.here()}; medians of one run.", "", *lines, ""))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "scanner.md").write_text(text)
    sys.stdout.write(text)
    return 0


@contextmanager
def scanner(folder: Path, clamd: RunningClamd, more: str = "") -> Iterator[tuple[HostPort, Child]]:
    """With clamd, as an operator would run it; its log goes to a file."""
    address = free_port(LOOPBACK)
    config = folder / "scanner.toml"
    config.write_text(
        f'[listen]\naddress = "{address}"\n'
        f'[engines.clamd]\naddress = "{clamd.address}"\nmax_octets = {2 * LARGE_OCTETS}\n'
        f"{more}[cache]\n"
    )
    command = (sys.executable, "-P", "-m", "scanner", "run", "-c", str(config))
    with running(Child("scanner", command, folder / "scanner.log")) as child:
        wait_for(address)
        yield address, child


async def _measured(
    folder: Path, clamd: RunningClamd, address: HostPort, pid: int, rounds: int
) -> list[str]:
    async with AsyncExitStack() as stack:
        channel = await stack.enter_async_context(open_channel(str(address), None))
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )

        async def empty(_content: bytes) -> None:
            await check(health_pb2.HealthCheckRequest())

        through_us = _unary(channel)
        table: dict[tuple[int, str], Way] = {}
        for turn in range(rounds):
            for at_once, scans in SCANS.items():
                links = [await Raw.connect(clamd.address) for _ in range(at_once)]
                ways: dict[str, list[Scan]] = {
                    "raw": [link.scan for link in links],
                    "empty call": [empty] * at_once,
                    "scanner": [through_us] * at_once,
                }
                for name, callers in ways.items():
                    say(f"round {turn + 1} of {rounds}: {at_once} at a time, {name}")
                    await _take(table, (at_once, name), callers, contents(scans), pid)
                same = [next(contents(1))] * scans
                await _take(table, (at_once, "remembered"), ways["scanner"], iter(same), pid)
                for link in links:
                    link.close()
        say("clamdscan")
        program = _clamdscan(folder, clamd)
    return _lines(table, program)


def _unary(channel: grpc.aio.Channel) -> Scan:
    stub = scan_pb2_grpc.ScanServiceStub(channel)

    async def scan(content: bytes) -> None:
        request = scan_pb2.ScanRequest(opening=_OPENING, content=content, envelope=_ENVELOPE)
        await stub.Scan(request)

    return scan


async def _take(
    table: dict[tuple[int, str], Way],
    key: tuple[int, str],
    callers: list[Scan],
    work: Iterator[bytes],
    pid: int,
) -> None:
    done = 0

    async def caller(scan: Scan) -> None:
        nonlocal done
        for content in work:
            await scan(content)
            done += 1

    used, began = cpu_s(pid), time.perf_counter()
    await asyncio.gather(*map(caller, callers))
    spent = time.perf_counter() - began
    way = table.setdefault(key, Way())
    way.scans_per_s.append(done / spent)
    way.cpu_ms.append((cpu_s(pid) - used) * 1000 / done)


def contents(count: int) -> Iterator[bytes]:
    """Messages of OCTETS, each with a body of its own."""
    head = b"Subject: figures\r\nFrom: a@example.org\r\n\r\n"
    for _ in range(count):
        line = os.urandom(36).hex().encode() + b"\r\n"
        yield (head + line * (OCTETS // len(line) + 1))[:OCTETS]


class Raw:
    """One warm session of clamd."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, path: str) -> "Raw":
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(OPEN_SESSION)
        return cls(reader, writer)

    async def scan(self, content: bytes) -> None:
        self._writer.writelines(instream(Content.of(content)))
        reply = await self._reader.readuntil(b"\0")
        if not reply.endswith(b"stream: OK\0"):
            raise RuntimeError(f"clamd said {reply!r}")

    def close(self) -> None:
        self._writer.close()


def _clamdscan(folder: Path, clamd: RunningClamd) -> float:
    """Scans a second of clamdscan --stream over FILES files, one process for all."""
    samples = folder / "samples"
    samples.mkdir()
    for number, content in enumerate(contents(FILES)):
        (samples / f"{number}.eml").write_bytes(content)
    configuration = folder / "clamdscan.conf"
    configuration.write_text(f"LocalSocket {clamd.address}\n")
    command = ["clamdscan", f"--config-file={configuration}", "--stream", "--no-summary"]
    began = time.perf_counter()
    subprocess.run([*command, str(samples)], check=True, stdout=subprocess.DEVNULL, timeout=120)
    return FILES / (time.perf_counter() - began)


async def _spam(address: HostPort, pid: int) -> str:
    """What remembering is worth where an engine takes its time."""
    table: dict[tuple[int, str], Way] = {}
    async with open_channel(str(address), None) as channel:
        callers = [_unary(channel)] * 4
        await _take(table, (4, "new"), callers, contents(SPAM_SCANS), pid)
        same = [next(contents(1))] * SCANS[16]
        await _take(table, (4, "remembered"), callers, iter(same), pid)
    new, again = (table[4, name].speed() for name in ("new", "remembered"))
    return f"\nWith spamd, 4 at a time: {new:.0f}/s, remembered {again / new:.0f} times that."


def _memory(folder: Path, clamd: RunningClamd) -> float:
    """By how many MiB a fresh scanner's peak grows with one content of LARGE_OCTETS."""
    with scanner(folder, clamd) as (address, process):
        return asyncio.run(_grown_mib(address, process.pid))


async def _grown_mib(address: HostPort, pid: int) -> float:
    """Streamed as an edge does it."""
    async with open_channel(str(address), None) as channel:
        await _unary(channel)(b"warm\r\n")
        before = peak_rss_mib(pid)
        await scan_pb2_grpc.ScanServiceStub(channel).ScanStream(_large())
        return peak_rss_mib(pid) - before


def _memory_line(grown_mib: list[float]) -> str:
    size, grew = LARGE_OCTETS / _MIB, statistics.median(grown_mib)
    times = f"{grew / size:.2f} times that"
    return f"One content of {size:.0f} MiB: the scanner's peak grows by {grew:.1f} MiB, {times}."


def _large() -> Iterator[scan_pb2.ScanPart]:
    yield scan_pb2.ScanPart(opening=_OPENING)
    for _ in range(LARGE_OCTETS // PART_OCTETS):
        yield scan_pb2.ScanPart(content=os.urandom(PART_OCTETS // 2).hex().encode())
    yield scan_pb2.ScanPart(closing=scan_pb2.ScanClosing(envelope=_ENVELOPE))


def _lines(table: dict[tuple[int, str], Way], program: float) -> list[str]:
    lines = [f"| {' | '.join(_HEADS)} |", "|---:" * len(_HEADS) + "|"]
    for at_once in SCANS:
        raw, empty, ours, again = (
            table[at_once, name] for name in ("raw", "empty call", "scanner", "remembered")
        )
        lines.append(
            f"| {at_once} | {raw.speed():.0f}/s | {ours.speed() / raw.speed():.2f} "
            f"({ours.speed():.0f}/s) | {ours.cpu():.2f} ms | {empty.cpu():.2f} ms | "
            f"{again.speed() / ours.speed():.2f} |"
        )
    return [*lines, "", f"clamdscan --stream, one process for all: {program:.0f}/s.", ""]


def say(progress: str) -> None:
    """One line that replaces itself, on a terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{progress}")
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
