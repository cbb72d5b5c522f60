"""What one session needs of the world, in its own words. Adapters are in links and clients.

Nothing here raises for what a peer, a scanner or policy does: absence is a value (a decision of
the local limits, an unscanned verdict). All calls are made and answered on one event loop.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Protocol

from smtpgated_contracts.values.asked import DataAsked, MailAsked, SessionAsked
from smtpgated_contracts.values.mail import Endpoint, Envelope, SessionId, SessionRef
from smtpgated_contracts.values.policy import (
    AskedLock,
    AskedPenalty,
    Decision,
    Lock,
    SessionProgress,
    Stage,
    TransactionOutcome,
)
from smtpgated_contracts.values.reported import Rejections, RulingReport, Tunnelled
from smtpgated_contracts.values.scan import EngineClass, Verdict


class RunningSession(Protocol):
    """A session as the worker knows it: what is told to it from outside its own links."""

    @property
    def has_begun_mail(self) -> bool:
        """Whether a transaction is under way, or one has ended."""
        ...

    def lock_changed(self) -> None:
        """A lock or exemption that touches its source came or went."""
        ...

    def load_changed(self) -> None:
        """The load came to, or went from, where spam scans are spared."""
        ...

    def drain(self) -> None:
        """End at the next border between transactions."""
        ...

    def shut_down(self) -> None:
        """End now; what is held is not released."""
        ...


class PolicyPort(Protocol):
    """Slots for sessions, and what may happen in them.

    A session that was opened is renewed until it is closed. Each ``decided`` is called exactly
    once, later, whatever happens to policy.
    """

    def open_session(
        self,
        asked: SessionAsked,
        progress: Callable[[], SessionProgress],
        decided: Callable[[Decision], None],
    ) -> None: ...

    def ask(self, asked: MailAsked | DataAsked, decided: Callable[[Decision], None]) -> None:
        """About a session that is open."""
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


Report = TransactionOutcome | AskedLock | AskedPenalty | Rejections | RulingReport | Tunnelled
"""What policy is told and does not answer."""


class OutcomePort(Protocol):
    def report(self, report: Report) -> None:
        """Never waits; what cannot be kept is dropped and counted."""
        ...


class LoadState(Protocol):
    """How hard we are at work."""

    @property
    def spared(self) -> frozenset[EngineClass]:
        """Classes that messages which begin now are not scanned by."""
        ...

    @property
    def average(self) -> float:
        """The machine's load average of one minute."""
        ...


class Hold(NamedTuple):
    """What a lock does to a session now. ``until_ms``: when that changes by itself; 0: never."""

    lock: Lock
    stage: Stage
    until_ms: int


class LockTable(Protocol):
    def hold_on(self, session: SessionRef, auth_user: bytes = b"") -> Hold | None:
        """What the strictest lock on the session's subjects does, if there is one."""
        ...

    def may_be_exempt(self, session: SessionRef) -> bool:
        """Whether policy may know the source as somebody whom no lock touches."""
        ...


class AcceptedSocket(Protocol):
    """As much of a socket as interception asks."""

    def getsockname(self) -> tuple[str, int] | tuple[str, int, int, int]: ...

    def getsockopt(self, level: int, option: int, length: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Found:
    """Who came and where to.

    ``source`` is the customer as he is known nearest to him: behind a NAT or a load balancer not
    the peer of our socket. ``identity``: who he is beyond his address; empty: not known.
    ``transparent``: the server is to see ``source``'s address and not ours.
    """

    source: Endpoint
    original_destination: Endpoint
    identity: str = ""
    transparent: bool = False


class NotFound(Enum):
    """Why a connection cannot become a session; the acceptor has the answer to each."""

    NOT_INTERCEPTED = "not intercepted"  # it came to the edge's own address
    LOOP = "loop"  # it would come back to us
    NOT_ALLOWED = "peer not allowed"  # only listed peers may say who they speak for
    UNKNOWN = "destination unknown"  # whoever should know was asked and does not
    NO_ANSWER = "no answer"  # whoever should know did not answer in time
    BAD_ANSWER = "bad answer"  # what was answered is not to be believed
    PROBE = "health check"  # a load balancer looks whether we live
    LEFT = "client left"  # the connection ended before it was known where to


class NoDestination(Exception):  # noqa: N818 - a finding, not a fault
    """This connection cannot become a session. ``detail`` is for logs, never for strangers."""

    def __init__(self, why: NotFound, detail: str = "") -> None:
        super().__init__(f"{why.value}: {detail}" if detail else why.value)
        self.why = why


class Arrived(Protocol):
    """An accepted connection about which nothing is known yet."""

    @property
    def peer(self) -> Endpoint:
        """The other end of our socket; IPv4 written as IPv4 on a dual-stack listener too."""
        ...

    @property
    def socket(self) -> AcceptedSocket: ...

    async def octets(self) -> bytes:
        """The next slice from the client, never empty. Raises NoDestination: it left."""
        ...

    def unread(self, octets: bytes) -> None:
        """Put back what belongs to the session; the session sees it first."""
        ...


class Interception(Protocol):
    """One way of finding original destinations: one file each in ``interception``.

    It is asked before there is a session; nothing was said to the client yet.
    """

    async def find(self, arrived: Arrived) -> Found:
        """Raises NoDestination."""
        ...
