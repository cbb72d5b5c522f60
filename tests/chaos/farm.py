"""The compose farm that chaos happens to, and what its far server has stored."""

import asyncio
import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from lab.ports import free_port
from service_kit.addresses import HostPort
from tests.chaos.load import HEADER
from tests.chaos.scenarios import Step
from tests.support.containers import Engine

_FOLDER: Final = "deploy/compose"
_OURS: Final = Path(__file__).parent / "compose.chaos.yaml"
_NAMED: Final = re.compile(rf"{HEADER}: (\S+)")
# All of the load comes from one address: the first virus would lock it.
_EXEMPTING: Final = """
import json, urllib.request
token = open("/run/farm/admin-token").read().split()[-1]
for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"):
    body = json.dumps({"subject": f"prefix:{network}", "reason": "the load of chaos"}).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    at = "http://127.0.0.1:8080/api/v1/exemptions"
    urllib.request.urlopen(urllib.request.Request(at, body, headers), timeout=10)
"""


class ChaosFarm:
    """Running; made by ``farm_running``."""

    def __init__(self, engine: Engine, project: str, edge: HostPort) -> None:
        self.edge = edge
        self._engine = engine
        self._project = project
        files = ("compose.yaml", "compose.offline.yaml")
        words = [word for name in files for word in ("-f", f"{_FOLDER}/{name}")]
        self._compose = (
            *("compose", "-p", project, "--project-directory", _FOLDER, *words, "-f", str(_OURS)),
        )

    def compose(self, *words: str) -> str:
        return self._engine.docker(*self._compose, *words)

    async def do(self, step: Step) -> None:
        """One step of a fault or of its cure."""
        await asyncio.to_thread(self._do, step)

    def _do(self, step: Step) -> None:
        match step:
            case ("compose", *words):
                self.compose(*words)
            case ("network", verb, service):
                container = self.compose("ps", "-q", service).split()[0]
                aliases = ("--alias", service) if verb == "connect" else ()
                self._engine.docker("network", verb, *aliases, f"{self._project}_back", container)
            case ("exec", service, program):
                self.compose("exec", "-T", service, "sh", "-c", program)
            case _:
                raise ValueError(f"{step}: nobody knows how")

    def stored(self) -> Counter[str]:
        """Message -> how often the far server has it."""
        program = f"grep -rhao '{HEADER}: [^[:space:]]*' /farm/mail || true"
        return Counter(_NAMED.findall(self.compose("exec", "-T", "far", "sh", "-c", program)))


@contextmanager
def farm_running(engine: Engine) -> Iterator[ChaosFarm]:
    edge = free_port("127.0.0.1")
    environment = {**engine.environment, "CHAOS_PORT": str(edge.port)}
    farm = ChaosFarm(Engine(environment), f"sgc{os.getpid()}", edge)
    try:
        farm.compose("up", "-d", "--wait", "--pull", "never", "--no-build")
        farm.compose("exec", "-T", "policy", "python", "-c", _EXEMPTING)
        yield farm
    finally:
        farm.compose("down", "--volumes", "--timeout", "5")
