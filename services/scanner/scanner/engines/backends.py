"""The daemons behind one engine: several that do the same, any of which may be away.

``ask`` goes to the one with the least to do whose circuit is not open. When that one fails as a
daemon fails (cannot be reached, leaves, says nonsense) the next one is asked, each at most once;
with ``hedge_after_s`` a second one is asked when the first has not answered by then, and the
first answer counts. One on reserve is asked when there is no other, one without duty never.
Scanning changes nothing anywhere, so asking twice is harmless; all of it
happens under the one absolute deadline of the scan.

Errors: EngineFailure, that of the daemon asked last.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from scanner.core.circuit import Circuit, CircuitState
from scanner.engines.link import EngineLink, connect
from scanner.engines.pool import LinkPool
from scanner.ports import Duty, EngineFailure, FailureReason
from service_kit.addresses import UnixOrTcp

Reply = TypeVar("Reply")
Talk = Callable[[EngineLink], Awaitable[Reply]]
"""One exchange over a link that is its own for that long. Raises EngineFailure."""

_THE_DAEMONS_FAULT: Final = frozenset(
    {FailureReason.UNREACHABLE, FailureReason.LOST, FailureReason.MALFORMED}
)
LOOK_S: Final = 4.0
"""Less than the watch gives the whole engine."""
_ALL_AWAY: Final = "every backend failed again and again; it will be tried anew in seconds"


class Backend:
    """One daemon. ``outstanding``: scans that wait for it or are with it. ``duty``: whether it
    is chosen, whatever its circuit says."""

    def __init__(self, address: UnixOrTcp, connections: int) -> None:
        self.address: Final = address
        self.circuit: Final = Circuit()
        self.outstanding = 0
        self.duty = Duty.FULL
        self._pool = LinkPool(address, connections)

    @property
    def warm(self) -> int:
        return self._pool.warm

    async def ask(self, deadline: float, talk: Talk[Reply]) -> Reply:
        async with self._judged(deadline), self._pool.link(deadline) as link:
            return await talk(link)

    async def look(self, talk: Talk[Reply]) -> Reply:
        """Beside the scans, on a connection of its own: is it there?

        Bounded here, so that one which hangs does not keep the others' answers back.
        """
        deadline = asyncio.get_running_loop().time() + LOOK_S
        try:
            async with asyncio.timeout_at(deadline), self._judged(deadline):
                link = await connect(self.address)
                try:
                    return await talk(link)
                finally:
                    link.abort()
        except TimeoutError:
            raise EngineFailure(FailureReason.TIMED_OUT) from None

    @asynccontextmanager
    async def _judged(self, deadline: float) -> AsyncIterator[None]:
        """What comes of it is the circuit's to know."""
        clock = asyncio.get_running_loop().time
        self.circuit.asked(clock())
        self.outstanding += 1
        try:
            yield
        except EngineFailure as failure:
            if failure.reason in _THE_DAEMONS_FAULT:
                self.circuit.failed(clock())
            raise
        except asyncio.CancelledError:
            if clock() >= deadline:  # else it was called off
                self.circuit.failed(clock())
            raise
        else:
            self.circuit.succeeded()
        finally:
            self.outstanding -= 1

    def close(self) -> None:
        self._pool.close()


class Backends:
    """``connections``: to each of them at most. ``hedge_after_s``: None for no second try."""

    def __init__(
        self,
        addresses: Iterable[UnixOrTcp],
        connections: int,
        hedge_after_s: float | None = None,
    ) -> None:
        self.all: Final = tuple(Backend(each, connections) for each in addresses)
        self._hedge_after_s = hedge_after_s

    @property
    def warm(self) -> int:
        """Idle links that could be used now."""
        return sum(each.warm for each in self.all)

    async def ask(self, deadline: float, talk: Talk[Reply]) -> Reply:
        first = self._best(self.all)
        if first is None:
            raise EngineFailure(FailureReason.UNREACHABLE, _ALL_AWAY)
        if self._hedge_after_s is None or len(self.all) == 1:
            return await self._ask_in_turn(first, deadline, talk)
        return await self._ask_hedged(first, self._hedge_after_s, deadline, talk)

    async def look(self, talk: Talk[Reply]) -> tuple[list[Reply], int]:
        """What those answer that are there, one at least; how many are away.

        Raises EngineFailure: all are.
        """
        answers = await asyncio.gather(*(_or_failure(each.look(talk)) for each in self.all))
        there = [each for each in answers if not isinstance(each, EngineFailure)]
        if not there:
            (failure, *_) = (each for each in answers if isinstance(each, EngineFailure))
            raise failure
        return there, len(answers) - len(there)

    def close(self) -> None:
        for each in self.all:
            each.close()

    async def _ask_in_turn(self, first: Backend, deadline: float, talk: Talk[Reply]) -> Reply:
        asked = {first}
        backend = first
        while True:
            try:
                return await backend.ask(deadline, talk)
            except EngineFailure as failure:
                others = [each for each in self.all if each not in asked]
                following = self._best(others)
                if failure.reason not in _THE_DAEMONS_FAULT or following is None:
                    raise
            backend = following
            asked.add(backend)

    async def _ask_hedged(
        self, first: Backend, after_s: float, deadline: float, talk: Talk[Reply]
    ) -> Reply:
        async with asyncio.TaskGroup() as group:
            answers = [group.create_task(_or_failure(self._ask_in_turn(first, deadline, talk)))]
            await asyncio.wait(answers, timeout=after_s)
            second = self._best(each for each in self.all if each is not first)
            if not answers[0].done() and second is not None:
                answers.append(group.create_task(_or_failure(second.ask(deadline, talk))))
            try:
                return await _first_good(answers)
            finally:
                for each in answers:
                    each.cancel()

    def _best(self, candidates: Iterable[Backend]) -> Backend | None:
        now_s = asyncio.get_running_loop().time()
        ready = [each for each in candidates if each.circuit.state(now_s) is not CircuitState.OPEN]
        for duty in (Duty.FULL, Duty.RESERVE):
            willing = (each for each in ready if each.duty is duty)
            best = min(willing, key=lambda each: each.outstanding, default=None)
            if best is not None:
                return best
        return None


async def _or_failure(answer: Awaitable[Reply]) -> Reply | EngineFailure:
    try:
        return await answer
    except EngineFailure as failure:
        return failure


async def _first_good(answers: Iterable[asyncio.Task[Reply | EngineFailure]]) -> Reply:
    """Raises EngineFailure: that of the one that ended last."""
    failure = EngineFailure(FailureReason.LOST)
    for ended in asyncio.as_completed(tuple(answers)):
        answer = await ended
        if not isinstance(answer, EngineFailure):
            return answer
        failure = answer
    raise failure
