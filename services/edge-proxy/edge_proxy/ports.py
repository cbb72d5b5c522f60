"""What one session needs of the world, in its own words. Adapters are in links and clients.

Nothing here raises for what a peer, a scanner or policy does: absence is a value (a decision of
the local limits, an unscanned verdict). All calls are made and answered on one event loop.
"""

from collections.abc import Callable
from typing import Protocol

from smtpgated_contracts.values.mail import Endpoint, Envelope, SessionId, SessionRef
from smtpgated_contracts.values.policy import (
    AskedLock,
    Decision,
    Lock,
    SessionProgress,
    TransactionOutcome,
)
from smtpgated_contracts.values.scan import EngineClass, Verdict


class PolicyPort(Protocol):
    """Slots for sessions. A session that was opened is renewed until it is closed."""

    def open_session(
        self,
        session: SessionRef,
        progress: Callable[[], SessionProgress],
        decided: Callable[[Decision], None],
    ) -> None:
        """``decided`` is called exactly once, later, whatever happens to policy."""
        ...

    def close_session(self, session_id: SessionId) -> None: ...


class ScanFeed(Protocol):
    """One content on its way to the scanner. Its verdict comes by callback, once, later."""

    @property
    def full(self) -> bool:
        """Whether feeding should stop until ``room`` was called."""
        ...

    def feed(self, content: bytes) -> None: ...

    def finish(self, envelope: Envelope, *, head_only: bool) -> None: ...

    def abandon(self) -> None:
        """The verdict is not wanted any more and will not come."""
        ...


class ScanPort(Protocol):
    def begin(
        self,
        session: SessionRef,
        transaction: int,
        skip: frozenset[EngineClass],
        profile: str,
        verdict: Callable[[Verdict], None],
        room: Callable[[], None],
    ) -> ScanFeed: ...


class OutcomePort(Protocol):
    def report(self, outcome: TransactionOutcome | AskedLock) -> None:
        """Never waits; what cannot be kept is dropped and counted."""
        ...


class LockTable(Protocol):
    def lock_on(self, session: SessionRef) -> Lock | None:
        """The lock in force on this session's source or identity, if there is one."""
        ...


class Interception(Protocol):
    """Where an intercepted connection was going."""

    def original_destination(self, connection: "AcceptedSocket") -> Endpoint:
        """Raises NoDestination."""
        ...


class AcceptedSocket(Protocol):
    """As much of a socket as interception asks."""

    def getsockname(self) -> tuple[str, int] | tuple[str, int, int, int]: ...

    def getsockopt(self, level: int, option: int, length: int, /) -> bytes: ...


class NoDestination(Exception):  # noqa: N818 - a finding, not a fault
    """This connection was not intercepted, or nobody knows where it was going; says why."""
