"""Rules of Prometheus, as its file and as the operator's object."""

from collections.abc import Mapping
from typing import Any, Final

import yaml

from tools.monitoring.alerts import ALERTS, RECORDED

RUNBOOKS: Final = "docs/runbooks.md"
"""A page of this repository with a heading for each alert."""

_HEAD: Final = "# Made by `python -m tools.monitoring --write`; a test fails when it is old.\n"


def rules_file() -> str:
    """What ``rule_files`` of Prometheus names."""
    return _HEAD + _text({"groups": _groups()})


def rules_object() -> str:
    """A PrometheusRule."""
    return _HEAD + _text(
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "PrometheusRule",
            "metadata": {"name": "smtp-gated", "namespace": "smtp-gated"},
            "spec": {"groups": _groups()},
        }
    )


def _groups() -> list[Mapping[str, Any]]:
    recorded = [{"record": each.name, "expr": each.expr} for each in RECORDED]
    alerts = [
        {
            "alert": each.name,
            "expr": each.expr,
            "for": each.lasting,
            "labels": {"severity": each.severity},
            "annotations": {
                "summary": each.summary,
                "runbook_url": f"{RUNBOOKS}#{each.name.lower()}",
            },
        }
        for each in ALERTS
    ]
    return [
        {"name": "smtp-gated figures", "rules": recorded},
        {"name": "smtp-gated alerts", "rules": alerts},
    ]


def _text(document: Mapping[str, Any]) -> str:
    text: str = yaml.safe_dump(document, sort_keys=False, width=1000, allow_unicode=True)
    return text
