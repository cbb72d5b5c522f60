"""New signatures come into force one daemon at a time, and one replica of a group at a time.

When there is another edition in the folder, or somebody demands it, the replica takes the group's
turn, and its daemons that are behind reload one after the other (``duties``, ``proof``). As the
replica's only one a daemon does so while enough other replicas serve. What broke one daemon is
not given to another, here or anywhere in the group, until the folder changes or somebody demands.

Redis away: a replica with several daemons goes on by itself, one with a single daemon waits.
No errors: what goes wrong is logged, counted, and tried again at a later look.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Final

from scanner.ports import Daemon, Duty, EngineFailure, ReloadOutcome
from scanner.signatures.duties import Duties
from scanner.signatures.farm import TURN_S, Farm
from scanner.signatures.folder import Edition, Folder
from scanner.signatures.presence import Presence
from scanner.signatures.proof import behind_in_number, unknown_probes
from scanner.signatures.settings import SignatureSettings
from scanner.signatures.troubles import Troubles
from service_kit.failures import Unavailable
from service_kit.health import Readiness
from service_kit.logs import event
from service_kit.tasks import Tasks

_LOG: Final = logging.getLogger(__name__)
_FOUND: Final = "signatures in the folder"
_WAITS: Final = "signatures wait for other replicas"
_UNREADABLE: Final = "database folder cannot be read"


class Roll:
    """Of one scanner. ``folder``: None when there is none to look into."""

    def __init__(
        self,
        daemons: Sequence[Daemon],
        folder: Folder | None,
        farm: Farm,
        readiness: Readiness,
        settings: SignatureSettings,
    ) -> None:
        self._daemons = tuple(daemons)
        self._folder = folder
        self._farm = farm
        self._look_every_s = settings.look_every_s
        self._least_others = settings.others_serving if farm.shared else 0
        self._troubles = Troubles()
        self._presence = Presence(farm, readiness, self._troubles)
        self._duties = Duties(daemons, readiness, settings.drain_s, settings.reload_deadline_s)
        self._demanded = asyncio.Event()
        self._told = ""

    def demand(self) -> None:
        """All daemons reload, whatever is in the folder, and whatever broke before."""
        self._demanded.set()

    async def run(self) -> None:
        """Until cancelled."""
        async with Tasks() as tasks:
            tasks.spawn(self._presence.run(), name="tell the group that we serve")
            while True:
                await self.look()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._look_every_s):
                        await self._demanded.wait()

    async def look(self) -> None:
        """Once: who can be trusted again, who is behind, and is it our turn?"""
        await self._duties.try_again()
        edition = await self._edition()
        for each in self._daemons:
            in_force = each.duty is not Duty.NONE
            if edition is not None and each.edition == edition.digits and in_force:
                each.refused = ""
        demanded = self._demanded.is_set()
        self._demanded.clear()
        if demanded and edition is not None:
            with contextlib.suppress(Unavailable):
                await self._farm.forgive(edition.digits)
        behind = [each for each in self._daemons if demanded or await _is_behind(each, edition)]
        if behind and await self._may_begin(edition):
            async with self._turn():
                await self._roll(edition, behind)

    async def aclose(self) -> None:
        """The group is told that we are gone; it would find out by itself."""
        with contextlib.suppress(Unavailable):
            await self._farm.beat(serving=False)
            await self._farm.give_turn()
        await self._farm.aclose()

    async def _roll(self, edition: Edition | None, behind: Sequence[Daemon]) -> None:
        for daemon in behind:
            leaving = self._least_others > 0 and not self._duties.others(daemon)
            if leaving and not await self._enough_others():
                return
            result = await self._duties.exchange(daemon, edition, leaving=leaving)
            if result.outcome is ReloadOutcome.LOADED:
                daemon.edition, daemon.refused = edition.digits if edition else "", ""
            elif result.outcome is not ReloadOutcome.AWAY:
                if result.outcome is ReloadOutcome.LOST and edition is not None:
                    daemon.edition = edition.digits  # it has it, and is of no use with it
                self._refuse(result.why)
                if edition is not None:
                    with contextlib.suppress(Unavailable):
                        await self._farm.broke(edition.digits, result.why)
                return

    async def _may_begin(self, edition: Edition | None) -> bool:
        """Nothing is known against the edition, and the turn is ours."""
        try:
            broke = await self._farm.broken(edition.digits) if edition is not None else ""
            if not broke:
                return await self._farm.take_turn()
        except Unavailable:
            return len(self._daemons) > 1
        self._refuse(broke)
        return False

    def _refuse(self, why: str) -> None:
        """What is in the folder; the watch tells it on."""
        for each in self._daemons:
            each.refused = why

    async def _enough_others(self) -> bool:
        serving = await self._presence.say()
        if serving is not None and serving >= self._least_others:
            self._troubles.over(_WAITS)
            return True
        self._troubles.note(_WAITS, f"{serving or 0} serve, {self._least_others} must")
        return False

    @contextlib.asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Renewed, and given up at the end; it ends by itself when Redis is away."""
        try:
            async with Tasks() as tasks:
                tasks.spawn(self._renew_turn(), name="renew the turn")
                yield
            await self._presence.say()  # or the next one would wait for us
        finally:
            with contextlib.suppress(Unavailable):
                await self._farm.give_turn()

    async def _renew_turn(self) -> None:
        while True:
            await asyncio.sleep(TURN_S / 3)
            with contextlib.suppress(Unavailable):
                await self._farm.take_turn()

    async def _edition(self) -> Edition | None:
        if self._folder is None:
            return None
        try:
            edition = await asyncio.to_thread(self._folder.look)
        except OSError as wrong:
            self._troubles.note(_UNREADABLE, str(wrong))
            return None
        self._troubles.over(_UNREADABLE)
        if edition is not None and edition.digits != self._told:
            self._told = edition.digits
            event(_LOG, logging.INFO, _FOUND, edition=edition.digits, number=edition.number)
        return edition


async def _is_behind(daemon: Daemon, edition: Edition | None) -> bool:
    """Of one that was never seen with any edition: as far as it can show; else it is believed."""
    if edition is None or daemon.edition == edition.digits:
        return False
    try:
        behind = await behind_in_number(daemon, edition)
        if daemon.edition or behind or await unknown_probes(daemon, edition):
            return True
    except EngineFailure:
        return False  # it is away: the watch says so
    daemon.edition = edition.digits
    return False
