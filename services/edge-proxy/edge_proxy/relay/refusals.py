"""Every reply this farm ever makes up itself: code, enhanced status (RFC 3463), text.

Texts are for strangers: no engine, rule or host is named unless an operator wrote it into a
rule. 4xx is for what passes, 5xx for what does not; 421 and 521 also say that we hang up
(RFC 5321 §4.2.3, RFC 7504). ``docs/replies.md`` is made from this table.
"""

from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, slots=True)
class Refusal:
    code: int
    status: str
    text: str

    def saying(self, text: str) -> "Refusal":
        """The same with an operator's own words, when there are any that fit on a line."""
        return replace(self, text=text) if text and text.isprintable() else self


def render(refusal: Refusal, *, enhanced: bool, name: str = "") -> bytes:
    """The reply's octets. ``enhanced``: the server offered ENHANCEDSTATUSCODES (RFC 2034)."""
    words = (str(refusal.code), refusal.status if enhanced else "", name, refusal.text)
    return " ".join(word for word in words if word).encode("ascii", "replace") + b"\r\n"


# In place of the greeting
LOCKED: Final = Refusal(554, "5.7.1", "Access denied, this host is locked")
REFUSED_BY_RULE: Final = Refusal(554, "5.7.1", "Access denied")
DEFERRED_BY_RULE: Final = Refusal(421, "4.7.0", "Not now, try again later")
OVER_LIMIT: Final = Refusal(421, "4.7.0", "Too many sessions, try again later")
NOT_READY: Final = Refusal(421, "4.3.2", "Service not available, try again later")
CANNOT_CONNECT: Final = Refusal(421, "4.4.1", "Cannot connect to the server, try again later")
NO_DESTINATION: Final = Refusal(421, "4.4.0", "Destination unknown now, try again later")
LOOP: Final = Refusal(554, "5.4.6", "Routing loop detected")
EARLY_TALKER: Final = Refusal(554, "5.5.1", "The greeting comes first")

# In the dialogue; the session goes on
UNKNOWN_COMMAND: Final = Refusal(502, "5.5.1", "Command not implemented")
MALFORMED_ADDRESS: Final = Refusal(501, "5.5.4", "Syntax error in address")
COMMAND_REFUSED: Final = Refusal(550, "5.7.1", "Refused")
COMMAND_DEFERRED: Final = Refusal(451, "4.7.1", "Not now, try again later")
OVER_RATE: Final = Refusal(451, "4.7.1", "Too much mail, try again later")
FAR_OVER_RATE: Final = Refusal(550, "5.7.1", "Too much mail")
AUTH_REQUIRED: Final = Refusal(530, "5.7.0", "Authentication required")
SENDER_LOCKED: Final = Refusal(550, "5.7.1", "Refused, this host is locked")
TLS_REFUSED: Final = Refusal(502, "5.5.1", "STARTTLS is not available")
HELLO_FIRST: Final = Refusal(503, "5.5.1", "EHLO first")
HELLO_UNNAMED: Final = Refusal(501, "5.5.4", "EHLO needs a host name")
NO_TRANSACTION: Final = Refusal(503, "5.5.1", "MAIL and RCPT first")
DATA_AMONG_CHUNKS: Final = Refusal(503, "5.5.1", "Not after BDAT")
CHUNK_BEFORE_REFUSED: Final = Refusal(503, "5.5.1", "A chunk of this message was refused")
OVER_SIZE: Final = Refusal(552, "5.3.4", "Message larger than allowed here")
TOO_MANY_MAILS: Final = Refusal(452, "4.7.0", "Too many messages in one session")
TOO_MANY_RECIPIENTS: Final = Refusal(452, "4.5.3", "Too many recipients")

# The end of content; the session is taken over, or goes on after BDAT
INFECTED: Final = Refusal(550, "5.7.1", "Message refused, malicious content found")
CONTENT_REFUSED: Final = Refusal(550, "5.7.1", "Message refused")
CONTENT_DEFERRED: Final = Refusal(451, "4.7.1", "Message not accepted now, try again later")
LOCKED_MEANWHILE: Final = Refusal(451, "4.7.1", "Message not accepted, this host is locked")
NOT_SCANNED: Final = Refusal(451, "4.7.1", "Message could not be checked, try again later")
TOO_LARGE: Final = Refusal(552, "5.3.4", "Message too large to be checked")
SERVER_LOST_IN_CONTENT: Final = Refusal(451, "4.4.2", "Connection to the server lost, try again")
DRAINED_IN_CONTENT: Final = Refusal(451, "4.3.2", "Service is shutting down, try again")

# Last words
SERVER_LOST: Final = Refusal(421, "4.4.2", "Connection to the server lost")
SERVER_SILENT: Final = Refusal(421, "4.4.2", "The server does not answer")
SERVER_VIOLATION: Final = Refusal(421, "4.5.0", "The server broke the protocol")
IDLE: Final = Refusal(421, "4.4.2", "Idle too long")
DRAINING: Final = Refusal(421, "4.3.2", "Service is shutting down")
TOO_MANY_ERRORS: Final = Refusal(421, "4.7.0", "Too many errors")
TAKEN_OVER: Final = Refusal(421, "4.3.0", "Connection to the server was given up")
CUT_BY_LOCK: Final = Refusal(421, "4.7.0", "This host is locked")
OUR_FAULT: Final = Refusal(421, "4.3.0", "Internal error")
LINE_TOO_LONG: Final = Refusal(500, "5.5.2", "Line too long")
BAD_LINE: Final = Refusal(521, "5.5.2", "Bare CR, bare LF or NUL in a command")
AMBIGUOUS_CONTENT: Final = Refusal(521, "5.5.2", "Ambiguous content: CR or LF alone, or NUL")
MALFORMED_CHUNK: Final = Refusal(521, "5.5.4", "BDAT needs a size")
CHUNK_TOO_LARGE: Final = Refusal(521, "5.3.4", "Chunk too large")
NOT_INTRODUCED: Final = Refusal(421, "4.3.0", "Service not available, try again later")
CONTENT_TOO_SLOW: Final = Refusal(421, "4.4.2", "Message takes too long")
TOO_MUCH_SKIPPED: Final = Refusal(521, "5.3.4", "Too much content after an error")
PLAINTEXT_BEFORE_TLS: Final = Refusal(554, "5.5.0", "Unexpected plaintext after STARTTLS")
COMMANDS_BEHIND_AUTH: Final = Refusal(554, "5.5.0", "Unexpected commands behind AUTH")
NOT_SMTP: Final = Refusal(521, "5.5.1", "This is an SMTP port")

# In place of the server's, when DATA goes upstream as BDAT
GO_AHEAD: Final = Refusal(354, "", "End with CRLF.CRLF")

# Takeover
GOODBYE: Final = Refusal(221, "2.0.0", "Bye")
DONE: Final = Refusal(250, "2.0.0", "Ok")
