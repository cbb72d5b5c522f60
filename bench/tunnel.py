"""``python -m bench.tunnel``: octets a second through a STARTTLS tunnel, beside HAProxy.

The relay that is measured has one core for itself, client and server have the other; all ways
(direct, HAProxy with one thread, HAProxy that splices, the edge) take turns, several rounds. What
flows looks like TLS, records behind a ClientHello, but is not encrypted: the ends would be busy
with that, and the relays would look alike. Shorter records (``--record``) cost the edge more, as it
counts them. CPU seconds are the relay's own, so they hold on a busy machine too. Nothing here
asserts anything.
"""

import argparse
import os
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from bench.peers import LOOPBACK, running, tcp_relay, wait_for
from bench.tunnel_far import ALERT, DIALOGUE
from bench.usage import Machine, cpu_s
from lab.children import Child
from lab.ports import free_port
from service_kit.addresses import HostPort

RELAY_CORE: Final = 0
ENDS_CORE: Final = 1
MEBIBYTE: Final = 1024 * 1024
GIBIBYTE: Final = 1024 * MEBIBYTE
TIMEOUT_S: Final = 300.0

_BLOCK_OCTETS: Final = 1024 * 1024
_HELLO: Final = (
    b"\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03"
    + bytes(32)
    + (b"\x00\x00\x02\x13\x01\x01\x00\x00\x00")
)


@dataclass(frozen=True, slots=True)
class Load:
    """So many octets, in whole blocks."""

    octets: int
    block: bytes


@dataclass(slots=True)
class Flow:
    """One way at one number of connections; each list has one entry a round."""

    mebibytes_per_s: list[float] = field(default_factory=list)
    cpu_s_per_gibibyte: list[float] = field(default_factory=list)

    def speed(self) -> float:
        return statistics.median(self.mebibytes_per_s)

    def cpu(self) -> float:
        return statistics.median(self.cpu_s_per_gibibyte)


Flows = dict[tuple[int, str], Flow]
"""By (connections, way)."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.tunnel", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of everything (default 5)")
    parser.add_argument("--mebibytes", type=int, default=512, help="of each flow (default 512)")
    parser.add_argument("--record", type=int, default=16_384, help="octets (default 16384)")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="smtp-gated-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        os.sched_setaffinity(0, {ENDS_CORE})  # whom we start from here on inherits it
        far, _ = stack.enter_context(far_end(folder))
        os.sched_setaffinity(0, {RELAY_CORE})
        relay, relay_process = stack.enter_context(tcp_relay(folder, far))
        splicing, splicing_process = stack.enter_context(tcp_relay(folder, far, "splice-request"))
        edge, edge_process = stack.enter_context(an_edge(folder, far))
        os.sched_setaffinity(0, {ENDS_CORE})
        pids = {
            "HAProxy": relay_process.pid,
            "splicing": splicing_process.pid,
            "edge": edge_process.pid,
        }
        ways = {"direct": far, "HAProxy": relay, "splicing": splicing, "edge": edge}
        load = Load(asked.mebibytes * MEBIBYTE, block(asked.record))
        flows = measured(ways, pids, asked.connections, load, asked.rounds)
    sys.stdout.write(markdown(flows, Machine.here()))
    return 0


@contextmanager
def far_end(folder: Path) -> Iterator[tuple[HostPort, Child]]:
    address = free_port(LOOPBACK)
    command = (sys.executable, "-m", "bench.tunnel_far", str(address))
    with running(Child("far end", command, folder / "far.log")) as child:
        wait_for(address)
        yield address, child


@contextmanager
def an_edge(folder: Path, far: HostPort) -> Iterator[tuple[HostPort, Child]]:
    """An edge that was never told anything by policy and goes on by the default rulebook."""
    address = free_port(LOOPBACK)
    config = folder / "edge.toml"
    config.write_text(
        f'listen.addresses = ["{address}"]\n[destination]\nserver = "{far}"\n'
        '[policy]\nstance = "open"\n[log]\nlevel = "error"\n'
    )
    command = (sys.executable, "-m", "edge_proxy", "run", "-c", str(config))
    with running(Child("edge", command, folder / "edge.log")) as child:
        wait_for(address)
        yield address, child


def measured(
    ways: dict[str, HostPort],
    pids: dict[str, int],
    connections: Sequence[int],
    load: Load,
    rounds: int,
) -> Flows:
    flows: Flows = {(count, way): Flow() for count in connections for way in ways}
    for target in ways.values():
        push(target, 1, replace(load, octets=16 * MEBIBYTE))  # warm
    for _ in range(rounds):
        for (count, way), flow in flows.items():
            before = cpu_s(pids[way]) if way in pids else 0.0
            began = time.perf_counter()
            octets = push(ways[way], count, load)
            flow.mebibytes_per_s.append(octets / MEBIBYTE / (time.perf_counter() - began))
            if way in pids:
                flow.cpu_s_per_gibibyte.append((cpu_s(pids[way]) - before) * GIBIBYTE / octets)
    return flows


def block(record_octets: int) -> bytes:
    """About a mebibyte of whole records."""
    record = b"\x17\x03\x03" + record_octets.to_bytes(2, "big") + b"x" * record_octets
    return record * (_BLOCK_OCTETS // len(record))


def push(target: HostPort, connections: int, load: Load) -> int:
    """Share the load out between connections; how many octets the far end has counted."""
    came: list[int] = []
    share = replace(load, octets=load.octets // connections)
    threads = [
        threading.Thread(target=lambda: came.append(push_one(target, share)))
        for _ in range(connections)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(came) < connections:
        raise RuntimeError(f"{connections - len(came)} of {connections} tunnels broke")
    return sum(came)


def push_one(target: HostPort, load: Load) -> int:
    commands = (b"EHLO bench.example\r\n", b"STARTTLS\r\n", _HELLO)
    with socket.create_connection((target.host, target.port), timeout=TIMEOUT_S) as connection:
        for said, command in zip(DIALOGUE, commands, strict=True):
            heard = b""
            while len(heard) < len(said):
                heard += connection.recv(len(said) - len(heard))
            connection.sendall(command)
        for _ in range(load.octets // len(load.block)):
            connection.sendall(load.block)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as rest:
            return int(rest.read().removeprefix(ALERT))


def markdown(flows: Flows, machine: Machine) -> str:
    counts = sorted({count for count, _ in flows})
    return "\n".join(
        [
            f"Measured on {machine}; medians of one run. MiB/s, and the relay's CPU s/GiB.",
            "",
            "| connections | direct | HAProxy | splicing | edge | **edge/HAProxy** | /splicing |",
            "|---:|---:|---:|---:|---:|---:|---:|",
            *(_row(flows, count) for count in counts),
            "",
        ]
    )


def _row(flows: Flows, count: int) -> str:
    direct, *relays = (flows[count, way] for way in ("direct", "HAProxy", "splicing", "edge"))
    relay, splicing, edge = relays
    cells = [
        f"{direct.speed():.0f}",
        *(f"{one.speed():.0f} ({one.cpu():.2f})" for one in relays),
        f"**{edge.speed() / relay.speed():.2f}**",
        f"{edge.speed() / splicing.speed():.2f}",
    ]
    return f"| {count} | {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
