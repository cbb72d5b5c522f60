"""The extensions of SMTP that we let through, and why each is safe to.

A keyword that is not here is not offered to the client: an extension we do not know may bring
verbs or content that we would misread. XEXCH50 and BURL (RFC 4468) carry content that we do not
read; XCLIENT and XFORWARD let a client claim to be another. Where server and we both have a
limit, the smaller one is offered (RFC 1870, RFC 9422).
"""

from typing import Final

from edge_proxy.relay.settings import CoreSettings
from edge_proxy.smtp.capabilities import keyword_of, offering
from edge_proxy.smtp.replies import Reply
from edge_proxy.smtp.session_limits import lowered
from edge_proxy.smtp.sizes import allowed_size
from rulebook.values import TlsTreatment

_CHANGES_NOTHING_ON_THE_WIRE: Final = (
    b"PIPELINING",  # RFC 2920: the ledger
    b"ENHANCEDSTATUSCODES",  # RFC 2034: ours carry them too, then
    b"HELP",  # RFC 5321
    b"EXPN",
    b"VRFY",
    b"ETRN",  # RFC 1985
    b"LIMITS",  # RFC 9422
    b"NO-SOLICITING",  # RFC 3865
)
_PARAMETERS_PASSED_UNTOUCHED: Final = (
    b"SIZE",  # RFC 1870
    b"8BITMIME",  # RFC 6152
    b"SMTPUTF8",  # RFC 6531: paths are octets here
    b"DSN",  # RFC 3461
    b"DELIVERBY",  # RFC 2852
    b"MTRK",  # RFC 3885
    b"FUTURERELEASE",  # RFC 4865
    b"MT-PRIORITY",  # RFC 6710
    b"RRVS",  # RFC 7293
    b"REQUIRETLS",  # RFC 8689
    b"SUBMITTER",  # RFC 4405
    b"CONPERM",  # RFC 4141
    b"CONNEG",
)
_UNDERSTOOD: Final = (
    b"AUTH",  # RFC 4954: the dialogue phase
    b"STARTTLS",  # RFC 3207: tunnelled, unless a rule says otherwise
    b"CHUNKING",  # RFC 3030: the chunk phase
    b"BINARYMIME",  # RFC 3030: only in chunks, which have no lines
)

ALLOWED: Final = frozenset(
    (*_CHANGES_NOTHING_ON_THE_WIRE, *_PARAMETERS_PASSED_UNTOUCHED, *_UNDERSTOOD)
)
_NEEDS_TLS: Final = frozenset({b"STARTTLS", b"REQUIRETLS"})
_NEEDS_CHUNKS: Final = frozenset({b"CHUNKING", b"BINARYMIME"})


def offer(reply: Reply, settings: CoreSettings, starttls: TlsTreatment, added_octets: int) -> bytes:
    """A server's answer to EHLO as the client gets it.

    ``added_octets``: what we put before each message, and the server counts.
    """
    allowed = ALLOWED
    if starttls is TlsTreatment.MASK:
        allowed -= _NEEDS_TLS
    if not settings.chunking:
        allowed -= _NEEDS_CHUNKS
    kept = [line for line in reply.lines[1:] if keyword_of(line) in allowed]
    kept = _sized(kept, settings.size_limit_octets, added_octets)
    return offering(reply, _limited(kept, settings))


def _sized(lines: list[bytes], ours: int, added_octets: int) -> list[bytes]:
    """With the smaller SIZE, which becomes ours where the server has none."""
    sized, offered = [], False
    for line in lines:
        if keyword_of(line) == b"SIZE":
            offered = True
            theirs = allowed_size(line)
            room = max(theirs - added_octets, 1) if theirs else 0
            limit = min(filter(None, (ours, room)), default=0)
            sized.append(line if limit == theirs else b"SIZE %d" % limit)
        else:
            sized.append(line)
    return sized if offered or not ours else [*sized, b"SIZE %d" % ours]


def _limited(lines: list[bytes], settings: CoreSettings) -> list[bytes]:
    """With the smaller LIMITS, likewise."""
    limits = {b"MAILMAX": settings.most_mails, b"RCPTMAX": settings.most_recipients}
    ours = {name: limit for name, limit in limits.items() if limit}
    if not ours:
        return lines
    if not any(keyword_of(line) == b"LIMITS" for line in lines):
        lines = [*lines, b"LIMITS"]
    return [lowered(line, ours) if keyword_of(line) == b"LIMITS" else line for line in lines]
