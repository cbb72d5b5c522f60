"""The verbs of SMTP and what each means for pipelining."""

from enum import StrEnum
from typing import Final


class Verb(StrEnum):
    """Verbs somebody here treats differently from the rest; OTHER is every other word."""

    HELO = "HELO"
    EHLO = "EHLO"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    BDAT = "BDAT"
    RSET = "RSET"
    NOOP = "NOOP"
    QUIT = "QUIT"
    VRFY = "VRFY"
    EXPN = "EXPN"
    HELP = "HELP"
    ETRN = "ETRN"
    AUTH = "AUTH"
    STARTTLS = "STARTTLS"
    OTHER = "other"


VERBS: Final = {verb.value.encode(): verb for verb in Verb if verb is not Verb.OTHER}

FOREIGN_PROTOCOL: Final = frozenset(
    {
        b"GET",
        b"POST",
        b"PUT",
        b"HEAD",
        b"DELETE",
        b"OPTIONS",
        b"CONNECT",
        b"TRACE",
        b"PATCH",
        b"PRI",
    }
)
"""First words of HTTP: a browser tricked into talking to a mail port (cross-protocol attack)."""
