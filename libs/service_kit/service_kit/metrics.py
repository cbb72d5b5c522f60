"""What a service counts: families whose labels can only be members of enums.

    SCANS = counter("scanner_scans", "Scans by verdict.", verdict=VerdictKind)
    SCANS(VerdictKind.CLEAN).inc()

No stranger's octet can become a label, and every combination exists from the start at 0, so
that a rate has a beginning. Names get no unit but the one in the name (``_s``, ``_octets``).
``serve_http`` shows them; with PROMETHEUS_MULTIPROC_DIR set *before the interpreter starts*
the values of all worker processes are added up (gauges as ``combined`` says).
"""

import itertools
from collections.abc import Sequence
from enum import Enum
from typing import Final, Generic, Literal, TypeAlias, TypeVar

from prometheus_client import Counter, Gauge, Histogram

from service_kit.status_http import StatusServer, serve_http

__all__ = ["Family", "StatusServer", "counter", "gauge", "histogram", "serve_http"]

Metric = TypeVar("Metric", Counter, Gauge, Histogram)
# How the gauges of several worker processes become one number; dead workers do not count.
Combined: TypeAlias = Literal["livesum", "livemax", "livemin", "livemostrecent"]

# More combinations are a mistake in the declaration: each is a time series for ever.
_MOST_CHILDREN: Final = 512
# Seconds: from a local decision (1 ms) to the deadline of a scan (60 s).
DEFAULT_BUCKETS_S: Final = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
)  # fmt: skip


class Family(Generic[Metric]):
    """One metric with its children, found by the members of its labels' enums."""

    __slots__ = ("_children",)

    def __init__(self, metric: Metric, labels: Sequence[type[Enum]]) -> None:
        combinations = list(itertools.product(*labels))
        assert len(combinations) <= _MOST_CHILDREN, f"{len(combinations)} time series in one metric"
        self._children: dict[tuple[Enum, ...], Metric] = {
            members: metric.labels(*map(label_value, members)) if members else metric
            for members in combinations
        }

    def __call__(self, *members: Enum) -> Metric:
        """The child of these members, in the order of the declaration."""
        return self._children[members]


def counter(name: str, sentence: str, /, **labels: type[Enum]) -> Family[Counter]:
    """Only goes up; shown as ``name_total``."""
    return Family(Counter(name, sentence, tuple(labels)), tuple(labels.values()))


def gauge(
    name: str, sentence: str, /, *, combined: Combined = "livesum", **labels: type[Enum]
) -> Family[Gauge]:
    """Goes up and down."""
    metric = Gauge(name, sentence, tuple(labels), multiprocess_mode=combined)
    return Family(metric, tuple(labels.values()))


def histogram(
    name: str,
    sentence: str,
    /,
    *,
    buckets: Sequence[float] = DEFAULT_BUCKETS_S,
    **labels: type[Enum],
) -> Family[Histogram]:
    """A distribution; ``buckets`` are upper bounds in the unit of the name."""
    metric = Histogram(name, sentence, tuple(labels), buckets=buckets)
    return Family(metric, tuple(labels.values()))


def label_value(member: Enum) -> str:
    """How a member is written as a label."""
    return member.name.lower()
