from enum import Enum, auto

import pytest
from prometheus_client import generate_latest

from service_kit.metrics import counter, gauge, histogram


class _Verdict(Enum):
    CLEAN = auto()
    INFECTED = auto()


class _Cached(Enum):
    YES = auto()
    NO = auto()


def _shown(name: str) -> list[str]:
    lines = generate_latest().decode().splitlines()
    return [line for line in lines if line.startswith(name) and "_created" not in line]


def test_every_combination_of_labels_exists_from_the_start() -> None:
    counter("unit_scans", "Scans.", verdict=_Verdict, cached=_Cached)
    assert sorted(_shown("unit_scans")) == [
        'unit_scans_total{cached="no",verdict="clean"} 0.0',
        'unit_scans_total{cached="no",verdict="infected"} 0.0',
        'unit_scans_total{cached="yes",verdict="clean"} 0.0',
        'unit_scans_total{cached="yes",verdict="infected"} 0.0',
    ]


def test_a_child_is_found_by_members_in_the_order_of_the_declaration() -> None:
    scans = counter("unit_children", "Scans.", verdict=_Verdict, cached=_Cached)
    scans(_Verdict.CLEAN, _Cached.YES).inc(2)
    assert 'unit_children_total{cached="yes",verdict="clean"} 2.0' in _shown("unit_children")
    with pytest.raises(KeyError):
        scans(_Cached.YES, _Verdict.CLEAN)


def test_a_metric_without_labels_is_its_own_child() -> None:
    sessions = gauge("unit_sessions", "Sessions.")
    sessions().inc()
    sessions().inc()
    sessions().dec()
    assert _shown("unit_sessions") == ["unit_sessions 1.0"]


def test_a_histogram_has_the_buckets_it_was_given() -> None:
    spent = histogram("unit_spent_s", "Time.", buckets=(1, 2), verdict=_Verdict)
    spent(_Verdict.CLEAN).observe(1.5)
    buckets = [line for line in _shown("unit_spent_s_bucket") if 'verdict="clean"' in line]
    assert [line.rpartition(" ")[2] for line in buckets] == ["0.0", "1.0", "1.0"]


def test_too_many_time_series_are_a_mistake_in_the_declaration() -> None:
    with pytest.raises(AssertionError, match="1024 time series"):
        counter("unit_many", "Too many.", **{f"l{number}": _Cached for number in range(10)})
