"""The extensions of SMTP that we let through, and why each is safe to.

A keyword that is not here is not offered to the client: an extension we do not know may bring
verbs or content that we would misread. CHUNKING and BINARYMIME (RFC 3030), XEXCH50 and BURL
(RFC 4468) carry content outside of DATA; XCLIENT and XFORWARD let a client claim to be another.
"""

from typing import Final

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
)

ALLOWED: Final = frozenset(
    (*_CHANGES_NOTHING_ON_THE_WIRE, *_PARAMETERS_PASSED_UNTOUCHED, *_UNDERSTOOD)
)
ALLOWED_WITHOUT_TLS: Final = ALLOWED - {b"STARTTLS", b"REQUIRETLS"}
