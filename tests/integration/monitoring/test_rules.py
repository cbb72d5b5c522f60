"""Rules as promtool sees them; each alert on made-up series fires, and does not without cause."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.needs import need_program
from tools.monitoring.__main__ import FOLDER
from tools.monitoring.alerts import ALERTS

COMPOSE = Path(__file__).parents[3] / "deploy" / "compose" / "observability"
RULES = FOLDER / "rules.yaml"
EDGE = 'job="edge-proxy",instance="e"'
SCANNER = 'job="scanner",instance="s"'
POLICY = 'job="policy",instance="p"'


@dataclass(frozen=True)
class Case:
    """``bad`` and ``good``: series of three hours, a sample a minute, as promtool writes them."""

    alert: str
    bad: dict[str, str]
    good: dict[str, str]
    labels: dict[str, str] = field(default_factory=dict)


def _grows(series: str, labels: str, alert: str, more: str, by: int = 1) -> Case:
    """Of a counter: it grows, or stays."""
    name = f"{series}{{{labels}{',' if more else ''}{more}}}"
    instance = {"instance": labels.split('instance="')[1].rstrip('"')}
    job = {"job": labels.split('"')[1]}
    extra = dict(part.replace('"', "").split("=") for part in more.split(",") if part)
    return Case(alert, {name: f"0+{by}x180"}, {name: "5+0x180"}, instance | job | extra)


CASES = (
    Case("ServiceDown", {f"up{{{EDGE}}}": "0x180"}, {f"up{{{EDGE}}}": "1x180"}),
    Case(
        "MailUnscanned",
        {
            f'edge_verdicts_total{{{EDGE},verdict="unscanned"}}': "0+10x180",
            f'edge_verdicts_total{{{EDGE},verdict="clean"}}': "0+90x180",
        },
        {
            f'edge_verdicts_total{{{EDGE},verdict="unscanned"}}': "0+1x180",
            f'edge_verdicts_total{{{EDGE},verdict="clean"}}': "0+99x180",
        },
    ),
    Case(
        "EngineDown",
        {f'scanner_engine_up{{{SCANNER},engine="clamd"}}': "0x180"},
        {f'scanner_engine_up{{{SCANNER},engine="clamd"}}': "1x180"},
    ),
    Case(
        "SignaturesStale",
        {f'scanner_signatures_stale{{{SCANNER},engine="clamd"}}': "1x180"},
        {f'scanner_signatures_stale{{{SCANNER},engine="clamd"}}': "0x180"},
    ),
    Case(
        "SignaturesRefused",
        {f'scanner_signatures_refused{{{SCANNER},engine="clamd"}}': "1x180"},
        {f'scanner_signatures_refused{{{SCANNER},engine="clamd"}}': "0x180"},
    ),
    Case(
        "DaemonsOut",
        {f"scanner_signatures_daemons_out{{{SCANNER}}}": "1x180"},
        {f"scanner_signatures_daemons_out{{{SCANNER}}}": "0x170 1x10"},
    ),
    _grows("scanner_refused_total", SCANNER, "ScannerRefuses", 'bound="scans"'),
    Case(
        "VerdictsSlow",
        {
            f'edge_verdict_wait_s_bucket{{{EDGE},le="30"}}': "0+1x180",
            f'edge_verdict_wait_s_bucket{{{EDGE},le="60"}}': "0+9x180",
            f'edge_verdict_wait_s_bucket{{{EDGE},le="+Inf"}}': "0+9x180",
        },
        {
            f'edge_verdict_wait_s_bucket{{{EDGE},le="30"}}': "0+9x180",
            f'edge_verdict_wait_s_bucket{{{EDGE},le="60"}}': "0+9x180",
            f'edge_verdict_wait_s_bucket{{{EDGE},le="+Inf"}}': "0+9x180",
        },
    ),
    Case(
        "EdgeWithoutPolicy",
        {f"edge_policy_connected{{{EDGE}}}": "0x180"},
        {f"edge_policy_connected{{{EDGE}}}": "1x180"},
    ),
    Case(
        "RulebooksDiffer",
        {
            f"edge_rulebook_version{{{EDGE}}}": "3x180",
            'edge_rulebook_version{job="edge-proxy",instance="other"}': "4x180",
        },
        {
            f"edge_rulebook_version{{{EDGE}}}": "4x180",
            'edge_rulebook_version{job="edge-proxy",instance="other"}': "4x180",
        },
    ),
    Case(
        "StoreAway",
        {f"policy_store_away{{{POLICY}}}": "1x180"},
        {f"policy_store_away{{{POLICY}}}": "0x180"},
    ),
    _grows("policy_rulebooks_unreadable_total", POLICY, "RulebookUnreadable", ""),
    _grows("policy_copy_failures_total", POLICY, "CopyFailing", ""),
    Case(
        "DecisionsSlow",
        {
            f'policy_batch_s_bucket{{{POLICY},le="0.25"}}': "0+1x180",
            f'policy_batch_s_bucket{{{POLICY},le="0.5"}}': "0+9x180",
            f'policy_batch_s_bucket{{{POLICY},le="+Inf"}}': "0+9x180",
        },
        {
            f'policy_batch_s_bucket{{{POLICY},le="0.25"}}': "0+9x180",
            f'policy_batch_s_bucket{{{POLICY},le="+Inf"}}': "0+9x180",
        },
    ),
    Case(
        "InfectedBurst",
        {f'edge_verdicts_total{{{EDGE},verdict="infected"}}': "0+0x169 0+50x11"},
        {f'edge_verdicts_total{{{EDGE},verdict="infected"}}': "0+50x180"},
    ),
    _grows("edge_overloaded_total", EDGE, "EdgeOverloaded", 'why="sessions"'),
    Case(
        "LoopLate",
        {f"edge_loop_lag_s{{{EDGE}}}": "0.3x180"},
        {f"edge_loop_lag_s{{{EDGE}}}": "0.01x180"},
    ),
    _grows("edge_no_destination_total", EDGE, "NoDestination", 'why="unknown"', by=3),
    _grows("edge_session_errors_total", EDGE, "SessionErrors", ""),
    _grows("policy_outcomes_unkept_total", POLICY, "ReportsLost", ""),
    _grows("policy_tokens_throttled_total", POLICY, "TokensGuessed", ""),
)


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def _firing(case: Case, series: dict[str, str], tmp_path: Path) -> bool:
    """Whether promtool finds the alert firing after three hours: asked by what it must not find."""
    document: dict[str, Any] = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {"series": name, "values": values} for name, values in series.items()
                ],
                "alert_rule_test": [{"eval_time": "3h", "alertname": case.alert, "exp_alerts": []}],
            }
        ],
    }
    file = tmp_path / "test.yaml"
    file.write_text(yaml.safe_dump(document))
    done = _run("promtool", "test", "rules", str(file))
    said = done.stdout + done.stderr
    assert done.returncode == 0 or f"alertname: {case.alert}" in said, said
    return done.returncode != 0


def test_every_alert_is_tried() -> None:
    assert [each.alert for each in CASES] == [each.name for each in ALERTS]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.alert)
def test_an_alert_fires_with_its_cause_and_not_without(case: Case, tmp_path: Path) -> None:
    need_program("promtool", "prometheus")
    assert _firing(case, case.bad, tmp_path)
    assert not _firing(case, case.good, tmp_path)


@pytest.mark.parametrize(
    "command",
    [
        ("promtool", "check", "rules", str(RULES)),
        ("promtool", "check", "config", "--syntax-only", str(COMPOSE / "prometheus.yml")),
        ("amtool", "check-config", str(COMPOSE / "alertmanager.yml")),
    ],
    ids=" ".join,
)
def test_the_files_are_what_their_programs_read(command: tuple[str, ...]) -> None:
    need_program(command[0], "prometheus and prometheus-alertmanager")
    done = _run(*command)
    assert done.returncode == 0, done.stdout + done.stderr
