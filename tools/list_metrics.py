"""docs/metrics.md: every metric of every service, from their own declarations.

python -m tools.list_metrics            print the page
python -m tools.list_metrics --write    write docs/metrics.md
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from prometheus_client import REGISTRY
from prometheus_client.metrics_core import Metric

import edge_proxy.metrics
import policy.metrics
import scanner.metrics
import service_kit.logs
import service_kit.tasks

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "metrics.md"
DECLARED: Final = (
    edge_proxy.metrics,
    scanner.metrics,
    policy.metrics,
    service_kit.logs,
    service_kit.tasks,
)
"""Modules that declare metrics when they are imported."""

_SECTIONS: Final = {
    "edge_": "Edge",
    "scanner_": "Scanner",
    "policy_": "Policy",
    "smtpgated_": "All services",
}
_HEAD: Final = """\
# Metrics

Made by `python -m tools.list_metrics --write`; a test fails when it is old. Labels have no values
but those listed here: no stranger's octet becomes one. `_s` and `_seconds` are seconds, `_octets`
octets; everything else is a number of what the name says. Besides, every service has Prometheus'
own `process_` and `python_` metrics. What to make of them: [monitoring.md](monitoring.md).
"""


def page() -> str:
    """The whole page, as markdown."""
    lines = [_HEAD]
    for prefix, title in _SECTIONS.items():
        lines += [f"## {title}", "", "| name | type | labels | meaning |", "|---|---|---|---|"]
        lines += sorted(_row(each) for each in declared() if each.name.startswith(prefix))
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def declared() -> Iterator[Metric]:
    """Those of the services."""
    return (each for each in REGISTRY.collect() if each.name.startswith(tuple(_SECTIONS)))


def labels_of(metric: Metric) -> dict[str, list[str]]:
    """Label -> its values, in the order they were declared."""
    found: dict[str, dict[str, None]] = {}
    for sample in metric.samples:
        for label, value in sample.labels.items():
            if label != "le":
                found.setdefault(label, {})[value] = None
    return {label: list(values) for label, values in found.items()}


def _row(metric: Metric) -> str:
    name = f"{metric.name}_total" if metric.type == "counter" else metric.name
    labels = "; ".join(
        f"`{label}`: {', '.join(values)}" for label, values in labels_of(metric).items()
    )
    return f"| `{name}` | {metric.type} | {labels} | {metric.documentation} |"


def main(arguments: Sequence[str]) -> int:
    if arguments == ["--write"]:
        PAGE.write_text(page(), encoding="utf-8")
    else:
        sys.stdout.write(page())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
