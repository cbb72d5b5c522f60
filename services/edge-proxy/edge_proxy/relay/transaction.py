"""One mail transaction: MAIL to the end of content or RSET."""

from dataclasses import dataclass, field

from edge_proxy.relay.actions import ScanId
from rulebook.values import Sanction
from smtpgated_contracts.values.policy import SpfResult
from smtpgated_contracts.values.scan import EngineClass, Verdict


@dataclass(slots=True)
class Transaction:
    """``begun`` when MAIL is sent; ``open``, and the session's own, once the server accepts it.

    ``declared_octets``: SIZE of MAIL, 0: none. ``spf`` None: not asked. ``room`` is how many
    recipients more policy allows; None: as many as one likes.

    ``recipient`` was asked for last and not refused; ``recipients`` were accepted. ``skip`` is
    what rules have said of this message so far. ``binary``: MAIL said so.

    ``ordinal`` is from 1, 0 before content. ``chunked``: upstream gets BDAT; ``by_data``: though
    the client sends DATA. ``failed``: a chunk was refused, so there is no message any more and
    its end is never sent; it is noted, and waits for RSET. ``spent``: policy has counted it.

    ``scan`` is None before content, after the verdict, and when nothing is to be scanned.
    ``oversized``: content went above the scan limit. ``sanctions`` are what
    the rules of the content ask for.
    """

    reverse_path: bytes = b""
    begun: bool = False
    open: bool = False
    recipient: bytes = b""
    recipients: list[bytes] = field(default_factory=list)
    skip: frozenset[EngineClass] = frozenset()
    binary: bool = False
    declared_octets: int = 0
    spf: SpfResult | None = None
    room: int | None = None
    ordinal: int = 0
    chunked: bool = False
    by_data: bool = False
    failed: bool = False
    scan: ScanId | None = None
    content_octets: int = 0
    oversized: bool = False
    verdict: Verdict | None = None
    rule_id: str = ""
    sanctions: tuple[Sanction, ...] = ()
    spent: bool = False
