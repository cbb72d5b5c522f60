"""A daemon that loads what a test gives it, when the test says so."""

import asyncio

from scanner.core.clamd_database import Probe
from scanner.core.profile import EngineVersion
from scanner.ports import Duty, EngineFailure, FailureReason
from scanner.signatures.folder import Edition
from scanner.signatures.proof import TEST_VIRUS
from service_kit.failures import FailureKind, Unavailable

OLD = Edition("01d01d01", 1)
NEW = Edition("0e30e30e", 2)
OWN_CONTENT = b"what only the operator's own new signature finds"
NEW_OWN = Edition("0e30e30f", 1, (Probe("Own", OWN_CONTENT),))
GONE = EngineFailure(FailureReason.UNREACHABLE, "as the test says")


class FakeDaemon:
    """``loads``: the edition it has after it was told to reload, None: as before.

    ``then``: what becomes of it with that: any of ``gone``, ``sees ghosts``, ``blind``.
    """

    def __init__(self, name: str = "clamd", loads: Edition | None = NEW, then: str = "") -> None:
        self.name = name
        self.edition = OLD.digits
        self.refused = ""
        self.duty = Duty.FULL
        self.outstanding = 0
        self.loads = loads
        self.then = then
        self.becomes = ""
        self.reloads = 0
        self.duties_seen: list[Duty] = []
        self.loading = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()
        self._has = OLD

    async def version(self) -> EngineVersion:
        self._answers()
        return EngineVersion("fake", self._has.number)

    async def reload(self) -> None:
        self._answers()
        self.reloads += 1
        self.duties_seen.append(self.duty)
        self.loading.set()
        await self.go_on.wait()
        self._has = self.loads or self._has
        self.becomes = self.then

    async def finds(self, content: bytes) -> bool:
        self._answers()
        if self.becomes == "sees ghosts":
            return True
        if content == TEST_VIRUS:
            return self.becomes != "blind"
        return any(each.content == content for each in self._has.probes)

    def _answers(self) -> None:
        if self.becomes == "gone":
            raise GONE


class Group:
    """What members of a group share, as Redis would keep it for them; time does not pass."""

    def __init__(self) -> None:
        self.turn: object = None
        self.serving: set[object] = set()
        self.broken: dict[str, str] = {}
        self.away = False


class Member:
    """One replica's farm. The twin of ``InRedis``."""

    shared = True

    def __init__(self, group: Group) -> None:
        self._group = group

    async def take_turn(self) -> bool:
        group = self._there()
        if group.turn is None:
            group.turn = self
        return group.turn is self

    async def give_turn(self) -> None:
        group = self._there()
        if group.turn is self:
            group.turn = None

    async def beat(self, *, serving: bool) -> int:
        group = self._there()
        (group.serving.add if serving else group.serving.discard)(self)
        return len(group.serving - {self})

    async def broke(self, edition: str, why: str) -> None:
        self._there().broken[edition] = why

    async def broken(self, edition: str) -> str:
        return self._there().broken.get(edition, "")

    async def forgive(self, edition: str) -> None:
        self._there().broken.pop(edition, None)

    async def aclose(self) -> None:
        """Nothing is open."""

    def _there(self) -> Group:
        if self._group.away:
            raise Unavailable("redis", FailureKind.UNREACHABLE, retryable=True)
        return self._group
