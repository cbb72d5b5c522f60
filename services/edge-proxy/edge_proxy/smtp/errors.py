"""What a peer may not send. Who answers that, and how, is not the grammar's question."""

from enum import StrEnum


class ViolationKind(StrEnum):
    LINE_TOO_LONG = "line too long"
    BARE_LINE_END = "line ends in something else than CRLF, or has CR or NUL inside"
    AMBIGUOUS_CONTENT = "content that one reader reads otherwise than another"
    MALFORMED_CHUNK = "BDAT without a size that can be followed"
    MALFORMED_REPLY = "reply that is none"
    REPLY_TOO_LONG = "reply too long"
    NOT_TLS = "octets that are not TLS where TLS was agreed on"


class Violation(Exception):  # noqa: N818 - the protocol's word
    """The peer broke the protocol; there is no telling what its next octets mean."""

    def __init__(self, kind: ViolationKind) -> None:
        super().__init__(kind.value)
        self.kind = kind
