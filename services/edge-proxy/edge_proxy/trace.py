"""The trace header: which of an ISP's customers a message came from, for whoever complains.

Behind one NAT address there are many customers, and the server that was intercepted sees only
one of ours. The lines are ASCII, folded, CRLF-terminated, and stand before all others. Whatever
a stranger had a say in (an identity by ident, for example) is reduced to harmless octets first.
"""

from enum import StrEnum
from typing import Final

from smtpgated_contracts.values.mail import SessionRef

_LONGEST: Final = 900
"""Octets of one value: a line of a message has at most 998 (RFC 5322 §2.1.1)."""


class TraceStyle(StrEnum):
    NONE = "none"
    IP_ONLY = "ip-only"
    GENERIC = "generic"


def render_trace_header(
    session: SessionRef,
    *,
    style: TraceStyle,
    header: str,
    name: str,
    abuse: str,
    started_unix_s: int,
) -> bytes:
    """Whole lines; empty in style none. ``name`` is this edge's, ``abuse`` may be empty."""
    if style is TraceStyle.NONE:
        return b""
    source = session.source
    if style is TraceStyle.IP_ONLY:
        return f"{header}: {source.address}\r\n".encode("ascii")
    identity = f"ident {_harmless(session.identity)}" if session.identity else "ident-empty"
    lines = [
        f"{header}: from [{source.address}]:{source.port} [{identity}]",
        f"\tby {_harmless(name)} with TPROXY id {started_unix_s}.{_harmless(session.session_id)}",
    ]
    if abuse:
        lines.append(f"\tabuse-to {_harmless(abuse)}")
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def _harmless(text: str) -> str:
    """Printable ASCII that ends nothing; what is not becomes ``#``."""
    return "".join(
        char if "!" <= char <= "~" and char not in "[]()<>\\" else "#" for char in text[:_LONGEST]
    )
