"""An engine that does what a test says, and a context for it to do it in."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from scanner.core.content import Content
from scanner.core.profile import EngineProfile, EngineVersion
from scanner.core.scan_profile import ScanProfile
from scanner.core.verdict import Statement
from scanner.ports import EngineFailure, FailureReason, ScanContext
from smtpgated_contracts.values.mail import EdgeId, Endpoint, Envelope, SessionId, SessionRef
from smtpgated_contracts.values.scan import EngineClass, VerdictKind

VIRUS, SPAM = EngineClass.VIRUS, EngineClass.SPAM
HERE: Final = Endpoint("127.0.0.1", 25)
SESSION: Final = SessionRef(SessionId("session-1"), EdgeId("edge-1"), HERE, HERE)
PROFILE: Final = ScanProfile(suspect_at=5.0, content_octets=1000)
CONTEXT: Final = ScanContext(SESSION, 1, Envelope(), PROFILE)

Act = Callable[[bytes], Awaitable[tuple[Statement, ...]]]


class FakeEngine:
    """``name`` is one of the registry's, because metrics know no others."""

    def __init__(
        self,
        name: str,
        act: Act,
        *judges: EngineClass,
        max_octets: int = 1_000_000,
        deadline_s: float = 60.0,
        required_at_start: bool = False,
    ) -> None:
        self.profile = EngineProfile(
            name,
            frozenset(judges or (VIRUS,)),
            max_octets,
            deadline_s,
            required_at_start=required_at_start,
        )
        self.given: list[Content] = []
        self.seen: list[bytes] = []
        self.contexts: list[ScanContext] = []
        self.given_up = 0
        self.away: EngineFailure | None = None
        self._act = act

    async def start(self) -> None:
        """Always ready."""

    async def scan(
        self, content: Content, context: ScanContext, _deadline: float
    ) -> tuple[Statement, ...]:
        octets = b"".join(content.pieces)
        self.given.append(content)
        self.seen.append(octets)
        self.contexts.append(context)
        try:
            return await self._act(octets)
        except asyncio.CancelledError:
            self.given_up += 1
            raise

    async def version(self) -> EngineVersion:
        if self.away is not None:
            raise self.away
        return EngineVersion(f"fake {self.profile.name}", 7, 1000.0)

    async def aclose(self) -> None:
        """Nothing is open."""


def states(*statements: Statement) -> Act:
    async def act(_content: bytes) -> tuple[Statement, ...]:
        return statements

    return act


def fails(reason: FailureReason, *found: Statement) -> Act:
    async def act(_content: bytes) -> tuple[Statement, ...]:
        raise EngineFailure(reason, "as the test says", found)

    return act


def hangs(entered: asyncio.Event | None = None) -> Act:
    async def act(_content: bytes) -> tuple[Statement, ...]:
        if entered is not None:
            entered.set()
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")

    return act


def after(gate: asyncio.Event, act: Act) -> Act:
    async def waiting(content: bytes) -> tuple[Statement, ...]:
        await gate.wait()
        return await act(content)

    return waiting


NO_VIRUS: Final = Statement(VIRUS)
EICAR_FOUND: Final = Statement(VIRUS, VerdictKind.INFECTED, "Eicar")
LITTLE_SPAM: Final = Statement(SPAM, name="HTML_MESSAGE", score=1.5)
MUCH_SPAM: Final = Statement(SPAM, name="GTUBE", score=1000.0)
