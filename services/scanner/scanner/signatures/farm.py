"""What the replicas of a group must agree on: whose turn it is, who serves, what broke a daemon.

``InRedis`` for replicas that share a Redis, ``Alone`` for one that shares nothing. A turn ends by
itself when its holder does not renew it, and so does a beat: who is killed stops nobody for long.

Errors: ``Unavailable``, when Redis is away or slow. Keys: ``docs/redis-keys.md``.
"""

import secrets
from typing import Final, Protocol

from scanner.cache.redis_link import RedisLink, Script

TURN_S: Final = 30.0
"""Of a turn that is not renewed."""
BELIEVED_S: Final = 30.0
"""Of a replica that says it serves and is then not heard of."""
_BROKEN_S: Final = 24 * 3600.0
_PACKAGE: Final = "scanner.signatures"
_LARGEST_WHY: Final = 500


class Farm(Protocol):
    @property
    def shared(self) -> bool:
        """Whether there may be others."""
        ...

    async def take_turn(self) -> bool:
        """The group's, or some more time for it. False: somebody else has it."""
        ...

    async def give_turn(self) -> None:
        """Harmless without having it."""
        ...

    async def beat(self, *, serving: bool) -> int:
        """Says whether we serve; returns how many others do."""
        ...

    async def broke(self, edition: str, why: str) -> None:
        """No replica is to load it, for a day."""
        ...

    async def broken(self, edition: str) -> str:
        """Why it must not be loaded; empty if it may be."""
        ...

    async def forgive(self, edition: str) -> None:
        """It may be loaded again."""
        ...

    async def aclose(self) -> None: ...


class Alone:
    """Every turn is ours, and what broke is remembered here."""

    shared = False

    def __init__(self) -> None:
        self._broken: dict[str, str] = {}

    async def take_turn(self) -> bool:
        return True

    async def give_turn(self) -> None:
        """Nobody waits for it."""

    async def beat(self, *, serving: bool) -> int:
        return 0

    async def broke(self, edition: str, why: str) -> None:
        self._broken = {edition: why}  # an older one does not come back

    async def broken(self, edition: str) -> str:
        return self._broken.get(edition, "")

    async def forgive(self, edition: str) -> None:
        self._broken.pop(edition, None)

    async def aclose(self) -> None:
        """Nothing is open."""


class InRedis:
    """``group``: replicas of one name take turns. Each is somebody else at every start."""

    shared = True

    def __init__(self, link: RedisLink, group: str) -> None:
        self._link = link
        self._us = secrets.token_hex(8)
        # The braces are a hash tag: a group lies in one slot of a cluster.
        self._prefix = f"smtpgated:signatures:{{{group}}}:"
        self._take, self._give, self._beat = (
            Script.named(name, _PACKAGE) for name in ("take_turn", "give_turn", "beat")
        )

    async def take_turn(self) -> bool:
        key = f"{self._prefix}turn"
        return bool(await self._link.call(self._take, key, self._us, _milliseconds(TURN_S)))

    async def give_turn(self) -> None:
        await self._link.call(self._give, f"{self._prefix}turn", self._us)

    async def beat(self, *, serving: bool) -> int:
        believed_ms = _milliseconds(BELIEVED_S)
        key, says = f"{self._prefix}serving", "1" if serving else "0"
        return int(await self._link.call(self._beat, key, self._us, believed_ms, says))

    async def broke(self, edition: str, why: str) -> None:
        key, life_ms = self._broken_key(edition), _milliseconds(_BROKEN_S)
        await self._link.run("SET", key, why[:_LARGEST_WHY] or "broken", "PX", life_ms)

    async def broken(self, edition: str) -> str:
        said = await self._link.run("GETRANGE", self._broken_key(edition), 0, _LARGEST_WHY)
        return said.decode("utf-8", "backslashreplace") if isinstance(said, bytes) else ""

    async def forgive(self, edition: str) -> None:
        await self._link.run("DEL", self._broken_key(edition))

    async def aclose(self) -> None:
        await self._link.aclose()

    def _broken_key(self, edition: str) -> str:
        return f"{self._prefix}broken:{edition}"


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
