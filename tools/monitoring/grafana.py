"""A dashboard as Grafana's JSON: three panels a row, one data source, instances to choose."""

import json
from typing import Any, Final

from tools.monitoring.dashboards import Dashboard, Panel

_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
_WIDTH, _HEIGHT, _IN_A_ROW = 8, 8, 3
_SCHEMA: Final = 39


def dashboard_json(dashboard: Dashboard) -> str:
    job = f'job="{dashboard.job}"' if dashboard.job else 'job=~"edge-proxy|scanner|policy"'
    return (
        json.dumps(
            {
                "uid": dashboard.uid,
                "title": dashboard.title,
                "tags": ["smtp-gated"],
                "schemaVersion": _SCHEMA,
                "editable": False,
                "graphTooltip": 1,
                "refresh": "30s",
                "time": {"from": "now-3h", "to": "now"},
                "timezone": "browser",
                "links": [
                    {
                        "title": "SMTP-Gated",
                        "type": "dashboards",
                        "tags": ["smtp-gated"],
                        "icon": "external link",
                        "tooltip": "",
                        "asDropdown": False,
                        "includeVars": False,
                        "keepTime": True,
                        "targetBlank": False,
                    }
                ],
                "templating": {"list": [_data_source(), _instances(job)]},
                "panels": [_panel(panel, number) for number, panel in enumerate(dashboard.panels)],
            },
            indent=1,
        )
        + "\n"
    )


def _data_source() -> dict[str, Any]:
    return {
        "name": "datasource",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
    }


def _instances(job: str) -> dict[str, Any]:
    query = f"label_values(up{{{job}}}, instance)"
    return {
        "name": "instance",
        "label": "Instance",
        "type": "query",
        "datasource": _SOURCE,
        "query": {"query": query, "refId": "instances"},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def _panel(panel: Panel, number: int) -> dict[str, Any]:
    row, place = divmod(number, _IN_A_ROW)
    return {
        "id": number + 1,
        "title": panel.title,
        "description": panel.description,
        "type": "stat" if panel.single else "timeseries",
        "datasource": _SOURCE,
        "gridPos": {"x": place * _WIDTH, "y": row * _HEIGHT, "w": _WIDTH, "h": _HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {},
        "targets": [
            {
                "refId": chr(ord("A") + at),
                "datasource": _SOURCE,
                "expr": expr,
                "legendFormat": legend,
            }
            for at, (expr, legend) in enumerate(panel.queries)
        ],
    }
