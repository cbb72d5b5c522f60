"""A real edge for tests: in this process, where it is quick to start, or as a process of its own.

Either listens on a free port, and tells what it logged as ``events``: the fields of each line.
"""

import asyncio
import json
import logging
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from edge_proxy import app
from edge_proxy.config import EdgeSettings
from lab.raw_client import Reply
from service_kit.addresses import HostPort
from service_kit.lifecycle import Lifecycle
from service_kit.log_formats import JsonFormat
from service_kit.tasks import Tasks
from tests.support.eventually import PATIENCE_S, eventually
from tests.support.fake_farm import FakeFarm
from tests.support.mail_client import LOOPBACK, MailClient

Tables = Mapping[str, Any]


def settings_for(farm: FakeFarm, overrides: Tables | None = None) -> dict[str, Any]:
    """A configuration that reaches the farm's fakes; ``overrides`` are laid over it."""
    tables: dict[str, Any] = {
        "edge_id": "edge-under-test",
        "drain_deadline_s": 20.0,
        "drain_patience_s": 0.0,
        "listen": {"addresses": ["127.0.0.1:0"]},
        "destination": {"mode": "fixed", "server": str(farm.far.address)},
        "scanner": {"target": farm.scanner.target},
        "policy": {"target": farm.policy.target},
    }
    return _laid_over(tables, overrides or {})


def _laid_over(below: dict[str, Any], above: Tables) -> dict[str, Any]:
    for key, value in above.items():
        under = below.get(key)
        both = isinstance(value, Mapping) and isinstance(under, dict)
        below[key] = _laid_over(under, value) if both else value  # type: ignore[arg-type]  # both
    return below


class Edge:
    """What an edge of either kind shows."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def said(self, name: str, **facts: object) -> list[dict[str, Any]]:
        """Events of that name in which all these facts hold."""
        return [
            each
            for each in self.events
            if each["event"] == name and all(each.get(key) == facts[key] for key in facts)
        ]

    async def until_said(self, name: str, count: int = 1, **facts: object) -> dict[str, Any]:
        """Wait for so many such events; the last of them."""
        await eventually(lambda: len(self.said(name, **facts)) >= count)
        return self.said(name, **facts)[-1]

    async def until_policy_is_there(self) -> None:
        await self.until_said("rulebook in force")
        await self.until_said("policy stream opened")

    @property
    def address(self) -> HostPort:
        return HostPort.parse(self.said("listening")[-1]["at"][0])

    def client(self, source: str = LOOPBACK) -> MailClient:
        return MailClient(self.address, source)

    async def greeting(self, source: str = LOOPBACK) -> Reply:
        """What a session that is begun now is told first."""
        async with self.client(source) as client:
            return await client.reply()

    async def until_greeted(self, code: int, source: str = LOOPBACK) -> Reply:
        """Begin sessions until one is greeted so; a push to the edge has been taken then."""
        async with asyncio.timeout(PATIENCE_S):
            while (reply := await self.greeting(source)).code != code:
                pass
            return reply


class InnerEdge(Edge):
    """Runs on this loop, with the fakes and the clients."""

    def __init__(self, settings: Tables) -> None:
        super().__init__()
        self._settings: Final = EdgeSettings.model_validate(settings)
        self._tasks: Final = Tasks()
        self.lifecycle = Lifecycle(self._settings.drain_deadline_s, signals=())
        self.running: asyncio.Task[None]

    async def start(self) -> None:
        self.running = self._tasks.spawn(app._work(self._settings, self.lifecycle), name="edge")
        await eventually(lambda: self.running.done() or self.said("listening"))
        if self.running.done():
            await self.running

    async def stop(self) -> None:
        """Drain, and come back when it has ended."""
        self.lifecycle.begin_drain("test")
        await asyncio.wait({self.running}, timeout=30)
        await self._tasks.aclose()
        self.lifecycle.close()


class _Listener(logging.Handler):
    """Events as the product's own JSON format writes them."""

    def __init__(self, events: list[dict[str, Any]]) -> None:
        super().__init__()
        self._events: Final = events
        self.setFormatter(JsonFormat("edge-proxy"))

    def emit(self, record: logging.LogRecord) -> None:
        self._events.append(json.loads(self.format(record)))


@asynccontextmanager
async def inner_edge(
    farm: FakeFarm, overrides: Tables | None = None, *, wait_for_policy: bool = True
) -> AsyncIterator[InnerEdge]:
    """An edge in this process. It must not have had a bug of its own when it ends."""
    edge = InnerEdge(settings_for(farm, overrides))
    loggers = [logging.getLogger(name) for name in ("edge_proxy", "service_kit")]
    listener = _Listener(edge.events)
    for logger in loggers:
        logger.addHandler(listener)
        logger.setLevel(logging.INFO)
    try:
        await edge.start()
        if wait_for_policy:
            await edge.until_policy_is_there()
        try:
            yield edge
        finally:
            await edge.stop()
        assert not edge.said("session error"), edge.said("session error")
        assert not edge.said("task failed"), edge.said("task failed")
    finally:
        for logger in loggers:
            logger.removeHandler(listener)
            logger.setLevel(logging.NOTSET)


class EdgeProcess(Edge):
    """``python -m edge_proxy run -c FILE``; ``events`` are the lines of its stderr."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        super().__init__()
        self.process: Final = process
        self.stray_lines: list[str] = []

    async def read_lines(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            try:
                self.events.append(json.loads(line))
            except ValueError:
                self.stray_lines.append(line.decode(errors="replace"))

    @property
    def rss_octets(self) -> int:
        """Resident memory now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    @property
    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))  # noqa: PTH208 - only the count

    @property
    def cpu_s(self) -> float:
        """Seconds of CPU it has spent, user and system."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def status_address(self) -> HostPort:
        said = self.said("supervising") or self.said("listening")
        return HostPort("127.0.0.1", said[-1]["status_port"])

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    async def wait(self) -> int:
        async with asyncio.timeout(30):
            return await self.process.wait()

    async def stop(self) -> int:
        """SIGTERM; the exit code. Whatever happens, it is gone afterwards."""
        try:
            if self.process.returncode is None:
                self.terminate()
            return await self.wait()
        finally:
            if self.process.returncode is None:
                self.process.kill()
                await self.process.wait()


@asynccontextmanager
async def edge_process(
    tables: Tables,
    *,
    is_ready: Callable[[EdgeProcess], object] = lambda edge: edge.said("listening"),
    may_end: bool = False,
    inherits: Sequence[socket.socket] = (),
    variables: Mapping[str, str] | None = None,
) -> AsyncIterator[EdgeProcess]:
    """An edge as it is run; ends with SIGTERM unless the test has ended it.

    ``may_end``: that it ends instead of getting ready is what the test is about.
    ``inherits``: sockets it is given as systemd gives them.
    """
    with tempfile.TemporaryDirectory(prefix="edge-test-") as folder:
        path = Path(folder) / "edge.toml"
        path.write_text(toml(tables))
        async with Tasks() as tasks:
            edge = EdgeProcess(
                await asyncio.create_subprocess_exec(
                    *_activation(inherits),
                    *(sys.executable, "-m", "edge_proxy", "run", "-c", str(path)),
                    stdin=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.PIPE,
                    env={**_plain_environment(), **(variables or {})},
                    pass_fds=[each.fileno() for each in inherits],
                )
            )
            reading = tasks.spawn(edge.read_lines(), name="edge's lines")
            try:
                await eventually(lambda: is_ready(edge) or edge.process.returncode is not None)
                assert may_end or edge.process.returncode is None, edge.stray_lines
                yield edge
            finally:
                await edge.stop()
                await reading


_ACTIVATION: Final = """
import fcntl, os, sys
given = [fcntl.fcntl(int(each), fcntl.F_DUPFD, 64) for each in sys.argv[1].split(",")]
for place, each in enumerate(given):
    os.dup2(each, 3 + place)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(given)))
os.execv(sys.argv[2], sys.argv[2:])
"""


def _activation(inherits: Sequence[socket.socket]) -> list[str]:
    """A process that becomes the program, with descriptors where sd_listen_fds(3) has them."""
    if not inherits:
        return []
    return [sys.executable, "-c", _ACTIVATION, ",".join(str(each.fileno()) for each in inherits)]


def _plain_environment() -> dict[str, str]:
    ours = ("EDGE_PROXY_", "SMTPGATED_", "PROMETHEUS_", "LISTEN_", "NOTIFY_", "WATCHDOG_")
    return {key: value for key, value in os.environ.items() if not key.startswith(ours)}


def toml(tables: Tables) -> str:
    """As much TOML as a configuration needs: keys, lists, one level of tables."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in tables.items() if not _table(value)]
    for name, table in tables.items():
        if _table(table):
            lines += [f"[{name}]", *(f"{key} = {json.dumps(table[key])}" for key in table)]
    return "\n".join(lines) + "\n"


def _table(value: object) -> bool:
    return isinstance(value, Mapping)
