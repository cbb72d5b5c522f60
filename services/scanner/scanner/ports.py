"""What an engine is to the scanner, in the scanner's words.

An engine is asked for one content at a time and makes one statement for each class it
judges. It may be asked for many contents at once and bounds that itself. Whatever keeps it
from judging leaves it as EngineFailure; being cancelled frees what the scan held at once.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol, runtime_checkable

from scanner.core.content import Content
from scanner.core.profile import EngineProfile, EngineVersion
from scanner.core.scan_profile import ScanProfile
from scanner.core.verdict import Statement
from smtpgated_contracts.values.mail import Envelope, SessionRef


@dataclass(frozen=True, slots=True)
class ScanContext:
    """Whose content it is, and how it is to be looked at.

    ``head_only``: a longer message's beginning, by the edge's rule.
    """

    session: SessionRef
    transaction: int
    envelope: Envelope
    profile: ScanProfile
    head_only: bool = False


class FailureReason(Enum):
    """Why an engine did not judge."""

    UNREACHABLE = "cannot be reached"
    BUSY = "no connection or worker became free in time"
    TIMED_OUT = "no answer in time"
    LOST = "went away before it answered"
    MALFORMED = "answered nonsense"
    REFUSED = "did not do it, and said so"
    TOO_LARGE = "the content is beyond its limit"
    UNFINISHED = "did not look at all of it"


class EngineFailure(Exception):  # noqa: N818 - named for what happened to the engine
    """An engine did not judge. ``detail`` is printable, for logs only.

    ``found``: what it had found before it failed. Bad stays bad: such statements count, so
    that nobody gets spam past the farm by packing a bomb beside it.
    """

    def __init__(
        self, reason: FailureReason, detail: str = "", found: tuple[Statement, ...] = ()
    ) -> None:
        super().__init__(reason, detail)
        self.reason: Final = reason
        self.detail: Final = detail
        self.found: Final = found

    def __str__(self) -> str:
        return f"{self.reason.value} ({self.detail})" if self.detail else self.reason.value


class Duty(Enum):
    """Whether a daemon is chosen for scans."""

    FULL = "like any other"
    RESERVE = "when there is no other"
    NONE = "never: it cannot be trusted"


class ReloadOutcome(Enum):
    """How telling a daemon to reload ended."""

    LOADED = "loaded, and proven"
    KEPT = "not loaded: it goes on with what it had"
    LOST = "not to be trusted, or not there any more"
    AWAY = "was not there to be told"


class Daemon(Protocol):
    """One of those behind an engine, as far as its signatures go.

    ``edition``: of the database folder, as far as this daemon is known to have loaded it; empty:
    not known. ``refused``: why a newer one is not loaded; empty when there is none. Methods raise
    EngineFailure, and bound their own time.
    """

    edition: str
    refused: str
    duty: Duty

    @property
    def name(self) -> str: ...

    @property
    def outstanding(self) -> int:
        """Scans that wait for it or are with it."""
        ...

    async def version(self) -> EngineVersion: ...

    async def reload(self) -> None:
        """Tells it to; it loads afterwards."""
        ...

    async def finds(self, content: bytes) -> bool:
        """Whether one of its signatures matches."""
        ...


@runtime_checkable
class HasDaemons(Protocol):
    """An engine whose daemons have signatures that can be reloaded."""

    @property
    def daemons(self) -> Sequence[Daemon]: ...


class Engine(Protocol):
    """One file of ``engines/`` each."""

    @property
    def profile(self) -> EngineProfile: ...

    async def start(self) -> None:
        """Once, before anything else. Raises StartError for what configuration must mend;
        an engine that is merely away is not a reason not to start."""
        ...

    async def scan(
        self, content: Content, context: ScanContext, deadline: float
    ) -> tuple[Statement, ...]:
        """One statement for each class of ``profile.judges``. Raises EngineFailure.

        ``content``: what ``profile.looks_at`` says, or all of it.
        ``deadline``: a moment of the loop's clock. The caller cancels at it; an engine that
        makes others work passes it on.
        """
        ...

    async def version(self) -> EngineVersion:
        """Asks the engine itself, beside the scans: also the proof that it is there.

        Raises EngineFailure. The caller bounds its time.
        """
        ...

    async def aclose(self) -> None:
        """Ends every connection and process."""
        ...


Ask = Callable[[Content], Awaitable[tuple[Statement, ...]]]
"""Asks the engine, about exactly this content. Raises EngineFailure."""


@dataclass(frozen=True, slots=True)
class Question:
    """What one engine is to say about one content.

    ``version``: what the engine last said it is, None if it never did. ``head_only``: as in
    ScanContext. ``deadline``: a moment of the loop's clock.
    """

    engine: EngineProfile
    version: EngineVersion | None
    content: Content
    head_only: bool
    deadline: float


@dataclass(frozen=True, slots=True)
class Answer:
    """``cached``: the engine was not asked for this one."""

    statements: tuple[Statement, ...]
    cached: bool = False


class VerdictCache(Protocol):
    """What engines have stated about the same octets before."""

    async def answer(self, question: Question, ask: Ask) -> Answer:
        """From memory, or by ``ask``, which is called at most once.

        Raises what ``ask`` raises and nothing of its own. Cancelling it is a caller's right:
        others who wait for the same answer do not notice.
        """
        ...

    async def aclose(self) -> None:
        """Ends every connection; what was to be told to others may be lost."""
        ...
