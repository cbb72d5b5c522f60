"""Bounds and choices of the core; sizes in octets, times in seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from edge_proxy.relay.phases import PATIENCE, Phase


class EarlyTalker(StrEnum):
    """What becomes of a client that speaks before it was greeted (RFC 5321 §4.3.1)."""

    IGNORE = "ignore"
    NOTE = "note"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class CoreSettings:
    """``reply_name`` is the host name in our own replies; empty: none is told."""

    reply_name: str = ""
    chunking: bool = True
    """Whether CHUNKING and BINARYMIME are offered where the server does (RFC 3030)."""
    content_as_chunks: bool = False
    """Whether content of DATA goes upstream by BDAT where the server offers CHUNKING, so that a
    refusal costs an RSET and not the connection."""
    size_limit_octets: int = 0
    """Content above it is refused with 552 and never relayed further; 0: no limit of ours."""
    most_mails: int = 0
    """MAIL commands in one session; beyond: 452. 0: no limit of ours."""
    most_recipients: int = 0
    """RCPT commands in one transaction; beyond: 452. 0: no limit of ours."""
    allows_bare_lf: bool = True
    """Whether a LF alone in content is relayed; false: it is refused as a CR alone or a NUL is."""
    early_talker: EarlyTalker = EarlyTalker.IGNORE
    xclient: bool = False
    """Whether the server is told by XCLIENT who the client is, and a session is closed if not."""
    xclient_login: bool = False
    """Whether XCLIENT also says LOGIN, where the session's identity is known."""
    spoofed_header: bytes = b""
    """Header fields of this name that a client brings are taken out; needs ``chunking`` off: a
    chunk's size is told before its octets. Empty: none are."""
    max_owed_replies: int = 128
    """Commands under way; the old program allowed 128. At the bound reading stops."""
    max_inbox: int = 65_536
    """Octets kept at a barrier before reading stops (one slice more may still arrive)."""
    max_refused_commands: int = 20
    """Commands refused by us in one session before it is closed; Postfix's hard limit is 20."""
    max_skipped: int = 100 * 1024 * 1024
    """Octets of refused BDAT or lost content read away before the session is closed."""
    max_chunk: int = 2_147_483_647
    """Octets of one BDAT; what a server that counts in 32 bits reads as another number."""
    max_recipients_kept: int = 1000
    """Recipients that an envelope names; those beyond are relayed and counted."""
    patience: Mapping[Phase, float] = field(default_factory=lambda: PATIENCE)
