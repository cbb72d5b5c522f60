"""One mail transaction, as the server accepted it: MAIL to the end of content or RSET."""

from dataclasses import dataclass, field

from edge_proxy.relay.actions import ScanId
from smtpgated_contracts.values.scan import Verdict


@dataclass(slots=True)
class Transaction:
    """``open`` from the server's answer to MAIL on; ``ordinal`` from 1, 0 before content.

    ``scan`` is None before content, after the verdict, and when nothing is to be scanned.
    ``oversized``: content went above the scan limit. ``locks`` are (cause, seconds).
    """

    open: bool = False
    reverse_path: bytes = b""
    recipients: list[bytes] = field(default_factory=list)
    ordinal: int = 0
    scan: ScanId | None = None
    content_octets: int = 0
    oversized: bool = False
    verdict: Verdict | None = None
    rule_id: str = ""
    locks: tuple[tuple[str, int], ...] = ()
