"""Penalty points in Redis: one hash a subject, gone by itself when nothing is left to count."""

from policy.core.penalties import MOST_POINTS
from policy.store.redis.keys import Keys
from policy.store.redis.link import RedisLink, call
from policy.store.redis.script_files import ADD_POINTS
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
            [self._keys.points(subject)],
            now,
            f"{more:.6f}",
            half_life_ms,
            f"{MOST_POINTS:.0f}",
        )
        (points,) = await self._link.run(command)
        return float(points)
