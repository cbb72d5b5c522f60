"""What remains of a scan: one log line, and the counts. Never content, never an address of mail."""

import logging
from typing import Final

from scanner import metrics
from scanner.ports import ScanContext
from service_kit.logs import event
from smtpgated_contracts.values.scan import EngineClass, Finding, Verdict

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
        findings=[_in_words(finding) for finding in verdict.findings],
        missing=[f"{each.engine_class}: {each.reason}" for each in verdict.missing],
        spent_ms=verdict.spent_ms,
    )


def _in_words(finding: Finding) -> str:
    """``clamd virus infected Eicar-Test-1 (ClamAV 1.4.3/27800, 4 ms)``,
    ``spamd spam clean 1.5 HTML_MESSAGE (spamd 1.5, cached, 0 ms)``."""
    score = f" {finding.score:g}" if finding.engine_class is EngineClass.SPAM else ""
    name = f" {finding.name}" if finding.name else ""
    origin = finding.version or "version unknown"
    cached = ", cached" if finding.cached else ""
    said = f"{finding.engine} {finding.engine_class} {finding.kind}{score}{name}"
    return f"{said} ({origin}{cached}, {finding.spent_ms} ms)"
