"""What is made from the tables is there, whole, and explained."""

import json
import re
import subprocess
import sys
from pathlib import Path

from tools.list_metrics import PAGE, declared, labels_of
from tools.monitoring.__main__ import old
from tools.monitoring.alerts import ALERTS, RECORDED
from tools.monitoring.dashboards import DASHBOARDS
from tools.monitoring.grafana import dashboard_json

RUNBOOKS = Path(__file__).parents[3] / "docs" / "runbooks.md"


def test_the_files_in_deploy_are_what_the_tables_say() -> None:
    assert old() == [], "python -m tools.monitoring --write"


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    headings = re.findall(r"^## (\w+)$", RUNBOOKS.read_text(), re.MULTILINE)
    assert headings == [each.name for each in ALERTS]


def test_figures_that_are_computed_beforehand_are_used_and_used_ones_are_computed() -> None:
    texts = [each.expr for each in ALERTS]
    texts += [expr for each in DASHBOARDS for panel in each.panels for expr, _ in panel.queries]
    used = {name for text in texts for name in re.findall(r"smtpgated:\w+:\w+", text)}
    assert used == {each.name for each in RECORDED}


def test_dashboards_are_found_by_different_names_and_fit_on_the_grid() -> None:
    assert len({each.uid for each in DASHBOARDS}) == len(DASHBOARDS) == 4
    for each in DASHBOARDS:
        places = [panel["gridPos"] for panel in json.loads(dashboard_json(each))["panels"]]
        assert len({(place["x"], place["y"]) for place in places}) == len(places)
        assert all(place["x"] + place["w"] <= 24 for place in places)


def test_labels_and_their_values_are_those_that_services_declare() -> None:
    known = {each.name: labels_of(each) for each in declared()}
    texts = [each.expr for each in (*ALERTS, *RECORDED)]
    texts += [expr for each in DASHBOARDS for panel in each.panels for expr, _ in panel.queries]
    asked = [
        (name, label, value)
        for text in texts
        for name, matchers in re.findall(r"(\w+)\{([^}]*)\}", text)
        for label, value in re.findall(r'(\w+)="([^"]*)"', matchers)
        if name != "up"
    ]
    assert asked
    for name, label, value in asked:
        metric = re.sub(r"_(total|bucket)$", "", name)
        assert value in known[metric][label], (name, label, value)


def test_labels_that_panels_sum_by_are_declared() -> None:
    known = {each.name: labels_of(each) for each in declared()}
    pattern = re.compile(r"sum by \(([^)]*)\) \((?:rate|increase)\((\w+?)(?:_total|_bucket)?[{\[]")
    texts = [each.expr for each in (*ALERTS, *RECORDED)]
    texts += [expr for each in DASHBOARDS for panel in each.panels for expr, _ in panel.queries]
    found = [match for text in texts for match in pattern.findall(text)]
    assert len(found) > 20
    for labels, metric in found:
        wanted = {label.strip() for label in labels.split(",")} - {"le", "instance"}
        assert wanted <= set(known[metric]), (metric, wanted)


def test_the_page_of_metrics_is_as_old_as_the_metrics() -> None:
    """In a process of its own: here tests may have declared some."""
    command = [sys.executable, "-m", "tools.list_metrics"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert PAGE.read_text() == done.stdout, "python -m tools.list_metrics --write"
