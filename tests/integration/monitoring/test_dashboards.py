"""Dashboards are what Grafana's own types say a dashboard is."""

import subprocess
from pathlib import Path

import pytest

from tests.support.needs import need_program
from tools.monitoring.dashboards import DASHBOARDS
from tools.monitoring.grafana import dashboard_json

TYPES = Path(__file__).parents[3] / ".tools" / "grafana-types" / "node_modules"


def checked(texts: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """What the compiler says of them."""
    need_program("node", "nodejs")
    assert TYPES.is_dir(), "make deps installs them"
    (folder / "node_modules").symlink_to(TYPES)
    lines = ['import type { Dashboard } from "@grafana/schema";']
    lines += [f"export const d{at}: Dashboard = {text};" for at, text in enumerate(texts)]
    (folder / "dashboards.ts").write_text("\n".join(lines))
    command = (
        *("node", str(TYPES / "typescript" / "bin" / "tsc"), "--noEmit", "--strict"),
        *("--skipLibCheck", "--module", "esnext", "--moduleResolution", "bundler"),
        *("--target", "es2022", "dashboards.ts"),
    )
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


def test_every_dashboard_is_of_grafanas_type(tmp_path: Path) -> None:
    done = checked([dashboard_json(each) for each in DASHBOARDS], tmp_path)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("right", "wrong"), [('"refresh": "30s"', '"refresh": 30'), ('"sort": 1', '"sort": "up"')]
)
def test_what_is_not_is_found(tmp_path: Path, right: str, wrong: str) -> None:
    text = dashboard_json(DASHBOARDS[0])
    assert right in text
    assert checked([text.replace(right, wrong)], tmp_path).returncode != 0
