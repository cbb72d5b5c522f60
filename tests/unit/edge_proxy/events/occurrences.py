"""What the tests of events tell a script."""

from edge_proxy.events.names import EventName
from edge_proxy.events.occurrence import Occurrence
from smtpgated_contracts.values.mail import EdgeId, Endpoint, SessionId, SessionRef


def session(identity: str = "subscriber-17") -> SessionRef:
    return SessionRef(
        SessionId("s-1"),
        EdgeId("edge-1"),
        Endpoint("192.0.2.7", 40_000),
        Endpoint("198.51.100.25", 25),
        identity,
    )


def virus(**facts: object) -> Occurrence:
    return Occurrence(EventName.VIRUS, session(), 1_700_000_000, **facts)  # type: ignore[arg-type]  # a test's own affair
