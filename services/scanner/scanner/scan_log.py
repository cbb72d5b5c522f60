"""What remains of a scan: one log line, and the counts. Never content, never an address of mail."""

import logging
from typing import Final

from scanner import metrics
from scanner.ports import ScanContext
from service_kit.logs import event
from smtpgated_contracts.values.scan import Verdict

_LOG: Final = logging.getLogger(__name__)


def record(verdict: Verdict, case: ScanContext, size_octets: int) -> None:
    """``size_octets``: of what came; of content beyond the limit, the limit."""
    metrics.SCANS(verdict.kind).inc()
    metrics.SCANNED_OCTETS().inc(size_octets)
    event(
        _LOG,
        logging.INFO,
        "scan",
        session_id=case.session.session_id,
        transaction=case.transaction,
        size_octets=size_octets,
        verdict=verdict.kind.value,
        findings=[finding.in_words for finding in verdict.findings],
        missing=[f"{each.engine_class}: {each.reason}" for each in verdict.missing],
        spent_ms=verdict.spent_ms,
    )
