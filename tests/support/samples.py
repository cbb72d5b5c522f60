"""Sessions and outcomes for tests that need some, each with an id of its own."""

import itertools
from typing import Final

from smtpgated_contracts.values.mail import EdgeId, Endpoint, Envelope, SessionId, SessionRef
from smtpgated_contracts.values.policy import Disposition, Lock, SessionProgress, TransactionOutcome

_NUMBERS: Final = itertools.count(1)


def session_ref(source: str = "192.0.2.1", identity: str = "") -> SessionRef:
    number = next(_NUMBERS)
    return SessionRef(
        SessionId(f"session-{number}"),
        EdgeId("edge"),
        Endpoint(source, 40_000),
        Endpoint("198.51.100.25", 25),
        identity,
    )


def progress_of(session: SessionRef) -> SessionProgress:
    return SessionProgress(session, "command", 0, 1)


def outcome(
    *locks: Lock, recipients: tuple[bytes, ...] = (b"b@far.example",)
) -> TransactionOutcome:
    return TransactionOutcome(
        session_ref(),
        1,
        Envelope(b"me", b"a@customer.example", recipients),
        None,
        Disposition.RELEASE,
        250,
        locks=locks,
    )
