"""The units in deploy/systemd, as systemd itself reads them; nothing is started.

Their program is not installed where they say, so the copies that are read name the one here.
"""

import subprocess
import sys
from configparser import RawConfigParser
from pathlib import Path
from typing import Final

import pytest

from tests.support.needs import need_linux, need_program

UNITS: Final = Path(__file__).resolve().parents[2] / "deploy" / "systemd"
SERVICES: Final = tuple(sorted(each.name for each in UNITS.glob("*.service")))
INSTALLED: Final = "/opt/smtp-gated/.venv/bin"
MOST_EXPOSURE: Final = 20
"""Of 100: what systemd calls OK. A unit without hardening has above 90."""


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_linux("systemd")
    folder = tmp_path_factory.mktemp("units")
    for unit in (*UNITS.glob("*.service"), *UNITS.glob("*.socket")):
        text = unit.read_text().replace(INSTALLED, str(Path(sys.executable).parent))
        (folder / unit.name).write_text(text)
    return folder


def analyze(*arguments: object) -> str:
    """What systemd-analyze says; it must have been content."""
    program = need_program("systemd-analyze", "systemd")
    ran = subprocess.run(
        [program, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60
    )
    said = ran.stdout + ran.stderr
    assert ran.returncode == 0, said
    return said


def settings(unit: str) -> RawConfigParser:
    """The last of each key; systemd reads more, but what is asked for here comes once."""
    parser = RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # keys as written
    parser.read_string((UNITS / unit).read_text())
    return parser


def test_there_is_a_unit_for_each_service() -> None:
    assert SERVICES == (
        "smtp-gated-edge.service",
        "smtp-gated-policy.service",
        "smtp-gated-scanner.service",
    )


def test_systemd_understands_every_line(copies: Path) -> None:
    said = analyze("verify", "--man=no", *sorted(copies.iterdir()))
    assert said == ""


@pytest.mark.parametrize("unit", SERVICES)
def test_a_service_can_do_little_harm(unit: str, copies: Path) -> None:
    analyze("security", "--offline=true", f"--threshold={MOST_EXPOSURE}", copies / unit)


@pytest.mark.parametrize("unit", SERVICES)
def test_a_service_has_a_user_and_more_time_to_stop_than_it_takes(unit: str) -> None:
    service = settings(unit)["Service"]
    assert f"u {service['User']} " in (UNITS / "smtp-gated.sysusers").read_text()
    assert int(service["TimeoutStopSec"]) > 25 + 3  # drain_deadline_s, and to close what is cut
    assert service["KillMode"] == "mixed"


def test_only_the_edge_keeps_capabilities_and_those_it_needs() -> None:
    kept = {unit: settings(unit)["Service"]["CapabilityBoundingSet"] for unit in SERVICES}
    assert kept == {
        "smtp-gated-edge.service": "CAP_NET_ADMIN CAP_NET_BIND_SERVICE",
        "smtp-gated-policy.service": "",
        "smtp-gated-scanner.service": "",
    }
