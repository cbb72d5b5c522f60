"""A router with an edge on it: the product's own rules and command lines, a farm that obeys tests.

The edge runs as nobody in particular with CAP_NET_ADMIN and no other capability. Servers and
clients are sockets of this process in the other namespaces; scanner and policy listen on the
router.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final, Self

from lab.far_server import FarPlan, FarServer
from lab.raw_client import RawClient
from rulebook.defaults import DEFAULT_DOCUMENT
from service_kit.addresses import HostPort
from service_kit.tasks import Tasks
from tests.support.edge import EdgeProcess, Tables, toml
from tests.support.eventually import eventually
from tests.support.fake_policy import FakePolicy
from tests.support.fake_scanner import FakeScanner
from tests.support.namespaces import FAMILIES, Family, Namespace, Network
from tests.support.needs import need_program

SMTP: Final = 25
LISTENING: Final = 2525
CONTENT: Final = b"From: <a@customer.example>\r\nSubject: on its way\r\n\r\nHello.\r\n"
_USER: Final = "10001"


class Scene:
    """Namespaces with everything but an edge in them."""

    def __init__(self, network: Network, folder: Path) -> None:
        self.network: Final = network
        self.folder: Final = folder
        self.servers: dict[Family, FarServer] = {}
        self.policy = FakePolicy(DEFAULT_DOCUMENT)
        self.scanner = FakeScanner()

    def settings(self, tables: Tables) -> Path:
        """A configuration file with these tables and this scene's farm."""
        whole: dict[str, Any] = {
            "edge_id": "edge-on-the-router",
            "listen": {"addresses": [f"[::]:{LISTENING}"]},
            "scanner": {"target": self.scanner.target},
            "policy": {"target": self.policy.target},
            **tables,
        }
        path = self.folder / "edge.toml"
        path.write_text(toml(whole))
        return path

    def load_rules(self, config: Path) -> None:
        """What the product prints, as it is."""
        self.network.redirect(self.say("nft", "-c", str(config)))

    def route(self, config: Path) -> None:
        script = self.say("nft", "-c", str(config), "--ip-rules")
        self.network.router.run("sh", given=script)

    def say(self, *words: str) -> str:
        """What ``edge-proxy`` with these words prints."""
        command = (sys.executable, "-m", "edge_proxy", *words)
        return subprocess.run(command, text=True, check=True, stdout=subprocess.PIPE).stdout

    def client(self, source: str, server: str, port: int = SMTP) -> "Client":
        return Client(self.network.client, source, HostPort(server, port))

    async def deliver(self, source: str, family: Family) -> str:
        """One message through to the family's server, unharmed; the client it saw."""
        server = self.servers[family]
        before = server.message_count
        async with self.client(source, family.server) as client:
            await client.deliver(CONTENT)
        await server.wait_for_messages(before + 1)
        message = server.messages[-1]
        assert message.content == CONTENT
        return message.client

    async def is_refused(self, source: str, family: Family) -> bool:
        """Whether a connection to the family's server is answered with a reset."""
        try:
            async with self.client(source, family.server):
                return False
        except ConnectionRefusedError:
            return True


class Client(RawClient):
    """From an address inside a namespace."""

    def __init__(self, namespace: Namespace, source: str, server: HostPort) -> None:
        super().__init__(server)
        self._namespace: Final = namespace
        self._source: Final = source

    async def connect(self) -> Self:
        made = self._namespace.socket(self._source)
        made.setblocking(False)
        try:
            async with asyncio.timeout(self._patience_s):
                await asyncio.get_running_loop().sock_connect(
                    made, (self._address.host, self._address.port)
                )
                self._reader, self._writer = await asyncio.open_connection(sock=made)
        except BaseException:
            made.close()
            raise
        return self

    async def deliver(self, content: bytes) -> None:
        """One transaction that must succeed; ``content`` has no line that begins with a dot."""
        assert (await self.reply()).code == 220
        for command in (
            b"EHLO me.example",
            b"MAIL FROM:<a@customer.example>",
            b"RCPT TO:<b@far.example>",
            b"DATA",
        ):
            reply = await self.command(command)
            assert reply.code < 400, reply
        await self.send_octets(content + b".\r\n")
        assert (await self.reply()).code == 250
        assert (await self.command(b"QUIT")).code == 221


@asynccontextmanager
async def scene(farm: Callable[[Network], Namespace] | None = None) -> AsyncIterator[Scene]:
    """``farm``: makes the namespace where scanner and policy are; None: the router."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="router-edge-"))
        os.chmod(folder, 0o755)  # noqa: PTH101 - the edge is somebody else
        made = Scene(stack.enter_context(Network()), Path(folder))
        for family in FAMILIES:
            far = FarServer(FarPlan(), HostPort(family.server, SMTP))
            with made.network.server.entered():
                made.servers[family] = await stack.enter_async_context(far)
        with (farm(made.network) if farm else made.network.router).entered():
            await stack.enter_async_context(made.scanner)
            await stack.enter_async_context(made.policy)
        yield made


@asynccontextmanager
async def edge_in(
    namespace: Namespace, config: Path, workers: int = 1
) -> AsyncIterator[EdgeProcess]:
    """``edge-proxy run`` inside; ready when the rulebook is in force in each of its workers."""
    words = (sys.executable, "-m", "edge_proxy", "run", "-c", str(config))
    async with Tasks() as tasks:
        edge = EdgeProcess(
            await asyncio.create_subprocess_exec(
                *namespace.command(*with_net_admin(words)),
                stdin=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
        )
        reading = tasks.spawn(edge.read_lines(), name="edge's lines")
        try:
            await eventually(
                lambda: _is_ready(edge, workers) or edge.process.returncode is not None
            )
            assert edge.process.returncode is None, edge.stray_lines
            yield edge
        finally:
            await edge.stop()
            await reading
    assert not edge.said("session error"), edge.said("session error")


def _is_ready(edge: EdgeProcess, workers: int) -> bool:
    return all(len(edge.said(each)) >= workers for each in ("listening", "rulebook in force"))


def with_net_admin(words: Sequence[str], *capabilities: str) -> tuple[str, ...]:
    """The command as an unprivileged user with CAP_NET_ADMIN, or these, and no more."""
    return (*_privilege(*(capabilities or ("+net_admin",))), *words)


def without_privilege(words: Sequence[str]) -> tuple[str, ...]:
    return (*_privilege(), *words)


def _privilege(*capabilities: str) -> tuple[str, ...]:
    kept = ",".join(("-all", *capabilities))
    return (
        *(need_program("setpriv", "util-linux"), *_user()),
        *(f"--inh-caps={kept}", f"--ambient-caps={kept}", f"--bounding-set={kept}"),
        "--no-new-privs",
    )


@cache
def _user() -> tuple[str, ...]:
    """Root without its capabilities stands in where nobody else may start the interpreter."""
    other = ("--reuid", _USER, "--regid", _USER, "--clear-groups", "--bounding-set=-all")
    start_again = "import subprocess, sys; subprocess.run([sys.executable, '-c', ''], check=True)"
    trial = (need_program("setpriv", "util-linux"), *other, sys.executable, "-c", start_again)
    if subprocess.run(trial, check=False, stderr=subprocess.DEVNULL).returncode != 0:
        return ()
    return other[:-1]
