"""Penalty points in Redis: one hash a subject, gone by itself when nothing is left to count."""

from collections.abc import Sequence

from policy.core.audit import Area, Authorship
from policy.core.penalties import MOST_POINTS, Points
from policy.ports import PenaltyPage, Punished
from policy.store.records import AUTHORSHIPS
from policy.store.redis.keys import MOST_AUDITED, Keys
from policy.store.redis.link import Command, RedisLink, call
from policy.store.redis.script_files import ADD_POINTS, FORGIVE
from service_kit.clock import Clock


class RedisPenalties:
    """The PenaltyStore. ``clock`` None: the clock of Redis."""

    def __init__(self, link: RedisLink, keys: Keys, clock: Clock | None) -> None:
        self._link = link
        self._keys = keys
        self._clock = clock

    async def add_points(self, subject: str, more: float, half_life_ms: int) -> float:
        now = self._clock.unix_ms() if self._clock else 0
        command = call(
            ADD_POINTS,
            [self._keys.points(subject), self._keys.punished],
            now,
            f"{more:.6f}",
            half_life_ms,
            f"{MOST_POINTS:.0f}",
            subject,
        )
        (points,) = await self._link.run(command)
        return float(points)

    async def points_of(self, subject: str) -> Points | None:
        (held,) = await self._link.run(self._read(subject))
        return _points(held)

    async def penalties(self, offset: int, limit: int) -> PenaltyPage:
        total, subjects = await self._link.run(
            ("ZCARD", self._keys.punished),
            ("ZREVRANGE", self._keys.punished, offset, offset + limit - 1),
        )
        held = await self._link.run(*map(self._read, subjects)) if subjects else []
        found = ((subject, _points(each)) for subject, each in zip(subjects, held, strict=True))
        known = tuple(Punished(subject, points) for subject, points in found if points is not None)
        return PenaltyPage(int(total), known)

    async def forgive(self, subject: str, by: Authorship) -> bool:
        keys = (self._keys.points(subject), self._keys.punished, self._keys.audit)
        who = AUTHORSHIPS.to_text(by)
        (had,) = await self._link.run(call(FORGIVE, keys, subject, MOST_AUDITED, Area.PENALTY, who))
        return bool(had)

    def _read(self, subject: str) -> Command:
        return ("HMGET", self._keys.points(subject), "points", "at")


def _points(held: Sequence[str | None]) -> Points | None:
    points, at_ms = held
    return Points(float(points), int(at_ms)) if points and at_ms else None
