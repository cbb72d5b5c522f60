"""A real Prometheus scrapes a real farm: whatever a rule or a panel asks for is there."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from lab import messages
from lab.children import Child
from lab.far_server import FarServer
from lab.far_server.plan import FarPlan
from lab.farm import Farm
from lab.farm_plan import FarmPlan
from lab.ports import free_port
from service_kit.addresses import HostPort
from tests.support.eventually import eventually
from tests.support.mail_programs import with_smtplib
from tests.support.needs import need_program
from tools.monitoring.__main__ import FOLDER
from tools.monitoring.alerts import ALERTS, RECORDED
from tools.monitoring.dashboards import DASHBOARDS, WINDOW

NAMES = re.compile(r"(?<![:\w])(?:edge|scanner|policy|smtpgated|process)_[a-z0-9_]+")
JOBS = {"edge": "edge-proxy", "scanner": "scanner", "policy": "policy"}


def expressions() -> Iterator[tuple[str, str]]:
    """Where it stands, and what it is; a dashboard's variables are filled in."""
    yield from ((each.name, each.expr) for each in (*RECORDED, *ALERTS))
    for dashboard in DASHBOARDS:
        for panel in dashboard.panels:
            for expr, _ in panel.queries:
                filled = expr.replace(WINDOW, "1m").replace("$instance", ".*")
                yield f"{dashboard.title}: {panel.title}", filled


def known_names(text: str) -> set[str]:
    """As a scrape has them; a metric without samples yet is named by its TYPE line."""
    found = set(re.findall(r"^([a-z_0-9]+)[{ ]", text, re.MULTILINE))
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE):
        endings = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("", "_total")}
        found |= {f"{name}{ending}" for ending in endings.get(kind, ("",))}
    return found


@pytest.fixture(scope="module")
def upstream() -> HostPort:
    return free_port("127.0.0.1")


@pytest.fixture(scope="module")
def farm(upstream: HostPort, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    with Farm(FarmPlan(directory=tmp_path_factory.mktemp("farm"), upstream=upstream)) as running:
        yield running


@pytest.fixture
def prometheus(farm: Farm, tmp_path: Path) -> Iterator[httpx.Client]:
    """One that scrapes the farm every second, by its API."""
    need_program("prometheus", "prometheus")
    scrapes = "".join(
        f"  - job_name: {JOBS[name]}\n    static_configs: [{{targets: ['{address}']}}]\n"
        for name, address in farm.metrics_addresses.items()
    )
    config = tmp_path / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
        f"rule_files: ['{FOLDER / 'rules.yaml'}']\nscrape_configs:\n{scrapes}"
    )
    at = free_port("127.0.0.1")
    command = (
        "prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={tmp_path / 'series'}",
        f"--web.listen-address={at}",
    )
    child = Child("prometheus", command, tmp_path / "prometheus.log")
    try:
        with httpx.Client(base_url=f"http://{at}", timeout=20) as http:
            yield http
    finally:
        child.kill()


async def test_every_metric_that_is_asked_for_exists(farm: Farm) -> None:
    known: set[str] = set()
    async with httpx.AsyncClient() as http:
        for address in farm.metrics_addresses.values():
            known |= known_names((await http.get(f"http://{address}/metrics")).text)
    asked = {name: place for place, expr in expressions() for name in NAMES.findall(expr)}
    assert len(asked) > 60
    missing = {name: place for name, place in asked.items() if name not in known}
    assert missing == {}


async def test_prometheus_scrapes_the_farm_and_answers_every_panel(
    farm: Farm, upstream: HostPort, prometheus: httpx.Client
) -> None:
    async with FarServer(FarPlan(), upstream):
        await with_smtplib(farm.edge_address, messages.clean())
    await eventually(lambda: _value(prometheus, "sum(up)") == len(JOBS))
    await eventually(lambda: _value(prometheus, "sum(edge_transactions_total)") >= 1)
    for place, expr in expressions():
        found = _asked(prometheus, expr)
        assert found["status"] == "success", (place, found)
    rules = (await asyncio.to_thread(prometheus.get, "/api/v1/rules")).json()["data"]["groups"]
    health = {rule["name"]: rule["health"] for group in rules for rule in group["rules"]}
    assert set(health) == {each.name for each in (*RECORDED, *ALERTS)}
    assert "err" not in health.values()


def _asked(prometheus: httpx.Client, expr: str) -> dict[str, Any]:
    found: dict[str, Any] = prometheus.get("/api/v1/query", params={"query": expr}).json()
    return found


def _value(prometheus: httpx.Client, expr: str) -> float:
    """0 while there is none, or nobody to ask."""
    try:
        result = _asked(prometheus, expr)["data"]["result"]
    except (httpx.TransportError, KeyError, ValueError):
        return 0.0
    return float(result[0]["value"][1]) if result else 0.0
