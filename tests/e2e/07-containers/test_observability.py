"""Prometheus and Alertmanager beside the farm in containers; Grafana is no package, see README."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.containers import Engine
from tests.support.eventually import eventually

pytestmark = [pytest.mark.root, pytest.mark.timeout(600)]

_FOLDER: Final = "deploy/compose"
_FILES: Final = ("compose.yaml", "compose.offline.yaml", "compose.observability.yaml")
_WITHOUT_GRAFANA: Final = (
    *("prometheus", "alertmanager", "edge-proxy", "scanner", "policy", "valkey"),
    *("clamd", "spamd", "signatures", "prepare"),
)


class Watched:
    """The farm, watched."""

    def __init__(self, engine: Engine, override: Path) -> None:
        self._engine = engine
        files = [word for name in _FILES for word in ("-f", f"{_FOLDER}/{name}")]
        self._command = (
            *("compose", "-p", f"sgo{os.getpid()}", "--project-directory", _FOLDER),
            *(*files, "-f", str(override)),
        )

    def __call__(self, *words: str) -> str:
        return self._engine.docker(*self._command, *words)

    def asked(self, path: str) -> Any:
        """Prometheus' API, from within its network."""
        program = (
            "import urllib.request as r;"
            f"print(r.urlopen('http://prometheus:9090{path}', timeout=5).read().decode())"
        )
        return json.loads(self("exec", "-T", "policy", "python", "-c", program))["data"]

    def targets(self) -> dict[str, str]:
        """Job -> whether it is up."""
        active = self.asked("/api/v1/targets")["activeTargets"]
        return {each["labels"]["job"]: each["health"] for each in active}


@pytest.fixture(scope="module")
def watched(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    override = tmp_path_factory.mktemp("compose") / "ports.yaml"
    override.write_text(
        "services:\n"
        + "".join(
            f"  {name}: {{ports: !reset []}}\n"
            for name in ("edge-proxy", "policy", "prometheus", "alertmanager", "grafana")
        )
    )
    made = Watched(engine, override)
    try:
        made("up", "-d", "--wait", "--pull", "never", "--no-build", *_WITHOUT_GRAFANA)
        yield made
    finally:
        made("down", "--volumes", "--timeout", "5")


async def test_every_service_is_scraped_and_the_rules_are_loaded(watched: Watched) -> None:
    wanted = {"edge-proxy": "up", "scanner": "up", "policy": "up"}
    await eventually(lambda: watched.targets() == wanted, within_s=90)
    groups = watched.asked("/api/v1/rules")["groups"]
    assert len(groups) == 2
    alertmanagers = watched.asked("/api/v1/alertmanagers")
    assert len(alertmanagers["activeAlertmanagers"]) == 1


def test_grafanas_password_is_made_and_nobody_elses_to_read(watched: Watched) -> None:
    what = ("prepare", "-c", "%a %u", "/farm/grafana/admin-password")
    said = watched("run", "--rm", "--entrypoint", "stat", *what)
    assert said.split()[-2:] == ["600", "10001"]
