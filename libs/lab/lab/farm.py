"""A whole farm on this machine: Valkey, policy, scanner, edge, each a process of its own.

    with Farm(FarmPlan(directory=folder, upstream=far.address)) as farm:
        ...                                 # somebody talks SMTP to farm.edge_address

``async with`` does the same without blocking the loop. What starts also stops, whatever goes
wrong between: SIGTERM to the edge first, so that messages finish, then to those it needs, then
to those they need, SIGKILL at a deadline. Whoever is killed without a chance takes the farm
along (see ``children``).

Errors that leave it: ChildEndedError, NotReadyError; StartError for what is missing on the machine.
"""

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Self

from lab.admin_token import kept_token
from lab.certificates import Authority, Files
from lab.children import Child, ChildEndedError
from lab.farm_parts import Part, parts
from lab.farm_plan import LOOPBACK, FarmPlan, Places, choose_places
from lab.steps import Steps, drive, drive_async
from lab.valkey import socket_in
from service_kit.addresses import HostPort

READY_WITHIN_S: Final = 30.0
STOPPED_WITHIN_S: Final = 8.0  # beyond the edge's own drain deadline
# A port that was free can be taken when the service comes to listen.
START_ATTEMPTS: Final = 3
_EXIT_NOT_IN_ORDER: Final = 2


class NotReadyError(Exception):
    """A part runs but is not ready in time; the text says which and what it is waiting for."""


class Farm:
    """Runs while it is entered. ``progress`` is told, in a few words, what is waited for;
    ``make_parts`` says which processes a farm is (others, to try this class with)."""

    def __init__(
        self,
        plan: FarmPlan,
        progress: Callable[[str], None] = lambda _: None,
        make_parts: Callable[[FarmPlan, Places], Sequence[Part]] = parts,
    ) -> None:
        self._plan: Final = plan
        self._progress: Final = progress
        self._make_parts: Final = make_parts
        self._places: Places
        self._parts: Mapping[str, Part] = {}
        self._children: Final[dict[str, Child]] = {}
        self._cleanup: Final = contextlib.ExitStack()
        self.admin_token = ""

    # Where it is.

    @property
    def edge_address(self) -> HostPort:
        """Where customers connect."""
        return self._places.edges[0]

    @property
    def edge_addresses(self) -> tuple[HostPort, ...]:
        """All of them, if the plan has several."""
        return self._places.edges

    @property
    def admin_address(self) -> HostPort:
        """REST API and status page; ``admin_token`` opens them."""
        return self._places.admin

    @property
    def metrics_addresses(self) -> Mapping[str, HostPort]:
        """/metrics and /readyz of edge, scanner, policy."""
        return self._places.metrics

    @property
    def processes(self) -> Mapping[str, int]:
        """Process ids of what runs: valkey, policy, scanner, edge."""
        return {name: child.pid for name, child in self._children.items()}

    def child(self, name: str) -> Child:
        """One of them, to signal it or to read its log."""
        return self._children[name]

    # Both worlds.

    def __enter__(self) -> Self:
        try:
            drive(self._starting())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        try:
            drive(self._stopping())
        finally:
            self._kill_what_is_left()

    async def __aenter__(self) -> Self:
        try:
            await drive_async(self._starting())
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_exception: object) -> None:
        try:
            await drive_async(self._stopping())
        finally:
            self._kill_what_is_left()

    def watch(self, until: Callable[[], bool] = lambda: False) -> None:
        """Returns when ``until`` is so; raises ChildEndedError when a part ends by itself."""
        drive(self._watching(until))

    async def watch_async(self, until: Callable[[], bool] = lambda: False) -> None:
        """As ``watch``."""
        await drive_async(self._watching(until))

    def kill(self, name: str) -> None:
        """SIGKILL to one part; nobody restarts it but ``restart``."""
        self._children.pop(name).kill()

    def start(self, name: str) -> None:
        """Start a part that was killed, with the same settings, and do not wait for it."""
        self._spawn(name, afresh=True)

    def restart(self, name: str) -> None:
        """Start a part that was killed, or has ended, with the same settings; until it is ready."""
        drive(self._restarting(name))

    async def restart_async(self, name: str) -> None:
        """As ``restart``."""
        await drive_async(self._restarting(name))

    async def until_ready(self, *names: str) -> None:
        """Until these parts (none named: all) say that they are ready."""
        await drive_async(self._until_ready(names or tuple(self._children)))

    # What happens.

    def _starting(self) -> Steps:
        self._plan.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        tls = self._certificates() if self._plan.mutual_tls else None
        valkey = self._cleanup.enter_context(socket_in(self._plan.directory))
        for attempt in range(1, START_ATTEMPTS + 1):
            self._places = choose_places(self._plan, valkey, tls)
            self.admin_token = kept_token(self._places.token_file)
            self._parts = {part.name: part for part in self._make_parts(self._plan, self._places)}
            for name in self._parts:
                self._spawn(name, afresh=True)
            try:
                yield from self._until_ready(tuple(self._parts))
            except ChildEndedError as ended:
                if attempt == START_ATTEMPTS or not _lost_its_port(ended.child):
                    raise
                yield from self._stopping()
            else:
                return

    def _restarting(self, name: str) -> Steps:
        if (left := self._children.pop(name, None)) is not None:
            left.kill()
        self._spawn(name, afresh=False)
        yield from self._until_ready((name,))

    def _until_ready(self, names: tuple[str, ...]) -> Steps:
        deadline = time.monotonic() + READY_WITHIN_S
        waiting = list(names)
        while waiting:
            self._raise_ended()
            reasons = {name: self._parts[name].why_not_ready() for name in waiting}
            waiting = [name for name in waiting if reasons[name]]
            if waiting and time.monotonic() > deadline:
                first = self._children[waiting[0]]
                raise NotReadyError(
                    f"{first.name} is not ready after {READY_WITHIN_S:.0f} s: "
                    f"{reasons[first.name]}; its log is {first.log}"
                )
            self._progress(f"starting {', '.join(waiting)}" if waiting else "")
            if waiting:
                yield

    def _watching(self, until: Callable[[], bool]) -> Steps:
        while not until():
            self._raise_ended()
            yield

    def _stopping(self) -> Steps:
        yield from self._ending("edge", within_s=self._plan.drain_deadline_s + STOPPED_WITHIN_S)
        yield from self._ending("policy", "scanner", within_s=STOPPED_WITHIN_S)
        yield from self._ending(*self._children, within_s=STOPPED_WITHIN_S)

    def _ending(self, *names: str, within_s: float) -> Steps:
        """SIGTERM, then SIGKILL to what is still there at the deadline."""
        ending = [self._children[name] for name in names if name in self._children]
        for child in ending:
            child.terminate()
        deadline = time.monotonic() + within_s
        while any(child.exit_code is None for child in ending) and time.monotonic() < deadline:
            yield
        for child in ending:
            child.kill()
            del self._children[child.name]

    def _kill_what_is_left(self) -> None:
        for child in self._children.values():
            child.kill()
        self._children.clear()
        self._cleanup.close()

    def _raise_ended(self) -> None:
        for child in self._children.values():
            if child.exit_code is not None:
                raise ChildEndedError(child)

    def _spawn(self, name: str, *, afresh: bool) -> None:
        log = self._plan.directory / f"{name}.log"
        if afresh:
            log.unlink(missing_ok=True)
        self._children[name] = Child(name, self._parts[name].command, log)

    def _certificates(self) -> Files:
        return Authority(LOOPBACK, "localhost").write(self._plan.directory)


def _lost_its_port(child: Child) -> bool:
    return child.exit_code == _EXIT_NOT_IN_ORDER and "cannot listen" in child.log_tail()
