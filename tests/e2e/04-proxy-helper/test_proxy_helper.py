"""See README.md beside this file."""

import asyncio
import socket
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest

from tests.support.commands import Command
from tests.support.namespaces import CLIENT_SIDE, IPV4, IPV6, Namespace, Network
from tests.support.router_edge import LISTENING, Scene, edge_in, scene, with_net_admin

pytestmark = pytest.mark.root

FARM: Final = "10.71.3.2"
ROUTER: Final = "10.71.3.1"
PORT: Final = 1140
SECRET: Final = 0x11223344

_HIDES_CUSTOMERS: Final = """
table ip hides_customers {
  chain leaving {
    type nat hook postrouting priority srcnat;
    oifname "rf" masquerade
  }
}
"""


def _farm(network: Network) -> Namespace:
    return network.attach("farm", "rf", FARM, ROUTER)


@pytest.fixture
async def with_a_farm() -> AsyncIterator[Scene]:
    async with scene(_farm) as made:
        made.network.redirect(_HIDES_CUSTOMERS)
        yield made


def _farm_of(made: Scene) -> Namespace:
    return Namespace(f"{made.network.router.name}-farm")


@asynccontextmanager
async def daemon(made: Scene, allowed: str = f"{FARM}/32") -> AsyncIterator[Command]:
    secret = made.folder / "secret"
    secret.write_text(f"{SECRET}\n")
    secret.chmod(0o644)
    made.network.router.run("sysctl", "-qw", "net.ipv4.ip_unprivileged_port_start=1024")
    words = (
        *(sys.executable, "-m", "edge_proxy", "proxy-helper", "--listen", f"0.0.0.0:{PORT}"),
        *("--allow", allowed, "--secret-file", str(secret)),
    )
    command = made.network.router.command("sh", "-c", 'exec "$@" 2>&1', "-", *with_net_admin(words))
    async with Command(*command, folder=made.folder) as running:
        await running.until_it_says("listening")
        yield running


async def test_a_farm_behind_a_router_finds_the_server_and_the_customer(with_a_farm: Scene) -> None:
    config = with_a_farm.settings(
        {
            "listen": {"addresses": [f"{FARM}:{LISTENING}"]},
            "destination": {"mode": "proxy-helper"},
            "destination.proxy_helper": {
                "peers": [ROUTER],
                "port": PORT,
                "secret_file": str(with_a_farm.folder / "secret"),
                "check_secret": True,
            },
            "router": {"interfaces": [CLIENT_SIDE]},
        }
    )
    async with daemon(with_a_farm), edge_in(_farm_of(with_a_farm), config):
        with_a_farm.load_rules(config)
        assert await with_a_farm.deliver(IPV4.client, IPV4) == FARM
        session = with_a_farm.policy.opened[-1]
        assert session.original_destination.address == IPV4.server
        assert session.original_destination.port == 25
        assert session.source.address == ROUTER
        assert session.identity == IPV4.client
        assert await with_a_farm.is_refused(IPV6.client, IPV6)


async def test_the_old_clients_octets_are_answered(with_a_farm: Scene) -> None:
    """It asks from an ephemeral port about a connection it has accepted."""
    farm = _farm_of(with_a_farm)
    with_a_farm.network.redirect(_TO_THE_FARM)
    async with daemon(with_a_farm):
        with farm.entered():
            listening = socket.create_server((FARM, LISTENING))
            asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with listening, asking:
            async with with_a_farm.client(IPV4.client, IPV4.server):
                accepted, (source, source_port) = listening.accept()
                with accepted:
                    question = _question(source, source_port, SECRET)
                    answer = await _asked(asking, question)
    ours = socket.inet_aton
    assert answer[:16] == question[:14] + bytes.fromhex("0012")
    assert answer[16:20] == ours(ROUTER)
    assert answer[20:24] == ours(IPV4.server)
    assert answer[24:28] == struct.pack("!HH", source_port, 25)
    assert answer[28:60] == IPV4.client.encode().ljust(32, b"\0")
    assert answer[60:] == bytes(6)


async def test_a_connection_nobody_rewrote_is_not_found(with_a_farm: Scene) -> None:
    async with daemon(with_a_farm):
        with _farm_of(with_a_farm).entered():
            asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with asking:
            answer = await _asked(asking, _question(ROUTER, 40_000, SECRET))
    assert answer[14:16] == bytes.fromhex("0022")


@pytest.mark.parametrize(
    ("allowed", "secret", "why"),
    [(f"{FARM}/32", 1, "wrong secret"), ("192.0.2.0/24", SECRET, "not allowed")],
)
async def test_nobody_else_is_answered(
    with_a_farm: Scene, allowed: str, secret: int, why: str
) -> None:
    async with daemon(with_a_farm, allowed) as running:
        with _farm_of(with_a_farm).entered():
            asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with asking:
            asking.connect((ROUTER, PORT))
            asking.send(_question(ROUTER, 40_000, secret))
            assert why in await running.until_it_says("question")
            asking.setblocking(False)
            with pytest.raises(BlockingIOError):
                asking.recv(66)


_TO_THE_FARM: Final = f"""
table ip to_the_farm {{
  chain incoming {{
    type nat hook prerouting priority dstnat;
    iifname "{CLIENT_SIDE}" tcp dport 25 dnat to {FARM}:{LISTENING}
  }}
}}
"""


def _question(source: str, source_port: int, secret: int) -> bytes:
    """As the old program packs it."""
    return struct.pack(
        "!4sIIHH4s4sHH32s6s",
        *(b"RPHD", 0x2B46AE4D, secret, 0x0402, 0x0001),
        *(socket.inet_aton(source), socket.inet_aton(FARM), source_port, LISTENING),
        *(b"", b""),
    )


async def _asked(asking: socket.socket, question: bytes) -> bytes:
    asking.connect((ROUTER, PORT))
    asking.setblocking(False)
    asking.send(question)
    async with asyncio.timeout(20):
        return await asyncio.get_running_loop().sock_recv(asking, 100)
