"""``[smtp]`` and ``[trace]``: what of SMTP is offered and insisted on, and what mail carries."""

from typing import Literal

from pydantic import Field

from edge_proxy.relay.settings import EarlyTalker
from edge_proxy.trace import TraceStyle
from service_kit.config import Settings


class SmtpSettings(Settings):
    chunking: bool = True
    """Offer CHUNKING and BINARYMIME where the server does; false: mask them and refuse BDAT."""
    content_as_chunks: bool = False
    """Relay DATA as BDAT where the server offers it: a refusal does not cost the connection."""
    early_talker: EarlyTalker = EarlyTalker.IGNORE
    """A client that speaks before the greeting. note: a log line; refuse: 554 and close."""
    bare_lf: Literal["relay", "refuse"] = "relay"
    """A LF without its CR in content. Most servers, and scanners, take it for a line end."""
    message_octets: int = Field(default=0, ge=0)
    """Largest message; told in SIZE where the server's is not smaller; beyond: 552. 0: no limit."""
    messages_per_session: int = Field(default=0, ge=0, le=999_999)
    """MAIL commands in one session; told in LIMITS; beyond: 452. 0: no limit."""
    recipients_per_message: int = Field(default=0, ge=0, le=999_999)
    """RCPT commands in one transaction; told in LIMITS; beyond: 452. 0: no limit."""
    content_total_s: float = Field(default=3600.0, ge=0, le=86_400)
    """Seconds one message may take to arrive, however steadily it drips; 0: any time."""


class TraceSettings(Settings):
    style: TraceStyle = TraceStyle.NONE
    """Header that is put before every message. ip-only: the source's address; generic: address,
    port, identity, this edge and session, and whom to write to."""
    header: str = Field(default="X-NAT-Received", max_length=70, pattern=r"^[A-Za-z0-9-]+$")
    """Its name."""
    abuse: str = Field(default="", max_length=255, pattern=r"^[!-~]*$")
    """Address for complaints, in style generic; empty: none is told."""
    spoofed: Literal["keep", "remove"] = "keep"
    """Headers of that name that a client brings. remove: they go, and BDAT is not offered."""
