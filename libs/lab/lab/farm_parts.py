"""Which processes a farm is: their commands, and the TOML each service reads."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab import probes
from lab.farm_plan import FarmPlan, Places
from lab.toml_text import Table, merged, toml_text
from lab.valkey import valkey_command
from service_kit.probe import why_not_ready


@dataclass(frozen=True, slots=True)
class Part:
    """One process: its command, and what says why it is not ready."""

    name: str
    command: tuple[str, ...]
    why_not_ready: Callable[[], str]


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
        lambda: why_not_ready(places.metrics[name]),
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
    table: Table = {"listen": {"address": str(places.scanner)}, "engines": engines}
    return merged(table, {"cache": _redis(plan, places)}) if plan.verdict_cache else table


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
    command = valkey_command(places.valkey, plan.directory)
    return Part("valkey", command, lambda: probes.why_not_valkey(places.valkey))
