"""``FarmPlan``: what farm is wanted. ``Places``: where one start of it listens and keeps files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

from lab.certificates import Files
from lab.ports import free_port, settled
from lab.toml_text import Table
from service_kit.addresses import HostPort, UnixOrTcp

LOOPBACK: Final = "127.0.0.1"
ANY_PORT: Final = HostPort(LOOPBACK, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FarmPlan:
    """Everything a farm needs lies in ``directory``. Port 0: a free one is chosen.

    What is None is embedded: Valkey for ``redis_url``, the embedded rules for the engines,
    the default rulebook for ``rulebook`` (its text). ``embedded_engine``: the embedded rules
    judge too, beside the engines that are named. ``verdict_cache``: the scanner remembers what its
    engines said, in the farm's Redis; what measures or breaks engines wants none. ``settings``
    maps a service's name (edge, scanner, policy) to a table that is laid over the one it would get.
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
    verdict_cache: bool = False
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
