"""What remains of a scan."""

import logging

import pytest

from scanner import metrics
from scanner.scan_log import record
from smtpgated_contracts.values.scan import Finding, Missing, Verdict, VerdictKind
from tests.unit.scanner.fakes import CONTEXT, SPAM, VIRUS

VERDICT = Verdict(
    VerdictKind.SUSPECT,
    (
        Finding("clamd", VIRUS, VerdictKind.CLEAN, spent_ms=4, version="ClamAV 1.4.3/27800"),
        Finding("spamd", SPAM, VerdictKind.SUSPECT, "GTUBE", 1000.0, 0, "spamd 1.5", cached=True),
        Finding("yara", VIRUS, VerdictKind.CLEAN, spent_ms=12),
    ),
    (Missing(VIRUS, "yara: no answer in time"),),
    12,
)


def test_a_scan_is_one_line_of_facts(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    record(VERDICT, CONTEXT, 4711)
    (line,) = caplog.records
    assert line.msg == "scan"
    assert vars(line)["fields"] == {
        "session_id": "session-1",
        "transaction": 1,
        "size_octets": 4711,
        "verdict": "suspect",
        "findings": [
            "clamd virus clean (ClamAV 1.4.3/27800, 4 ms)",
            "spamd spam suspect 1000 GTUBE (spamd 1.5, cached, 0 ms)",
            "yara virus clean (version unknown, 12 ms)",
        ],
        "missing": ["virus: yara: no answer in time"],
        "spent_ms": 12,
    }


def test_a_scan_is_counted() -> None:
    scans, octets = metrics.SCANS(VerdictKind.SUSPECT), metrics.SCANNED_OCTETS()
    before = scans._value.get(), octets._value.get()
    record(VERDICT, CONTEXT, 100)
    assert (scans._value.get(), octets._value.get()) == (before[0] + 1, before[1] + 100)
