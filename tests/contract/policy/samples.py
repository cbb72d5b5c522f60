"""Sessions, locks and outcomes for tests, with what does not matter filled in."""

import asyncio

from policy.core.leases import NO_CAPS, Caps, Open
from smtpgated_contracts.values.asked import DataAsked, SessionAsked
from smtpgated_contracts.values.mail import EdgeId, Endpoint, Envelope, SessionId, SessionRef
from smtpgated_contracts.values.policy import (
    Disposition,
    Lock,
    SessionProgress,
    TransactionOutcome,
)
from smtpgated_contracts.values.scan import EngineClass, Finding, Verdict, VerdictKind

SERVER = Endpoint("198.51.100.25", 25)


def session(name: str, source: str = "192.0.2.1", identity: str = "") -> SessionRef:
    return SessionRef(SessionId(name), EdgeId("edge-1"), Endpoint(source, 40000), SERVER, identity)


def asks(name: str, source: str = "192.0.2.1", identity: str = "") -> SessionAsked:
    return SessionAsked(session(name, source, identity))


def asks_data(
    name: str, recipients: int = 1, source: str = "192.0.2.1", sender: bytes = b"a@b.example"
) -> DataAsked:
    to = tuple(b"r%d@c.example" % number for number in range(recipients))
    return DataAsked(session(name, source), 1, Envelope(b"me", sender, to))


def progress(
    name: str,
    source: str = "192.0.2.1",
    phase: str = "",
    transactions: int = 0,
    opened_at_ms: int = 0,
    identity: str = "",
) -> SessionProgress:
    return SessionProgress(session(name, source, identity), phase, transactions, opened_at_ms)


def opening(name: str, source: str = "192.0.2.1", caps: Caps = NO_CAPS, identity: str = "") -> Open:
    return Open(progress(name, source, identity=identity), caps)


def lock(subject: str = "address:192.0.2.1", expires_at_ms: int = 0, cause: str = "virus") -> Lock:
    return Lock(subject, cause, expires_at_ms)


def outcome(
    kind: VerdictKind = VerdictKind.CLEAN,
    disposition: Disposition = Disposition.RELEASE,
    source: str = "192.0.2.1",
    locks: tuple[Lock, ...] = (),
) -> TransactionOutcome:
    finding = Finding("yara", EngineClass.VIRUS, kind, "Test.Signature")
    return TransactionOutcome(
        session=session("session-1", source),
        transaction=1,
        envelope=Envelope(b"me.example", b"from@example", (b"to@example",)),
        verdict=Verdict(kind, (finding,)),
        disposition=disposition,
        reply_code=250,
        content_octets=4096,
        rule_id="infected",
        rulebook_version=1,
        ended_at_ms=1_700_000_000_000,
        locks=locks,
    )


def soon() -> float:
    """A deadline that a healthy store always meets."""
    return asyncio.get_running_loop().time() + 5
