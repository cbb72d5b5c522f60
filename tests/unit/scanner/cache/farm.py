"""What the replicas of a farm share, in this process: the twin of Redis, told what to answer."""

from collections import defaultdict

from scanner.cache.shared import Kept, Look

LEFT_S = 30.0


class FarmTwin:
    """Values and claims never expire by themselves; ``expire`` does that."""

    def __init__(self) -> None:
        self.values: dict[str, Kept] = {}
        self.claims: dict[str, str] = {}
        self.looks: defaultdict[str, int] = defaultdict(int)
        self.lives_s: list[float] = []
        self.away = False
        self.left_s = LEFT_S

    async def look_or_claim(self, key: str, token: str, _claim_s: float) -> Kept | Look:
        self.looks[key] += 1
        if self.away:
            return Look.AWAY
        if (kept := self.values.get(key)) is not None:
            return kept
        return Look.CLAIMED if self.claims.setdefault(key, token) == token else Look.TAKEN

    async def keep(self, key: str, text: bytes, life_s: float) -> None:
        self.lives_s.append(life_s)
        self.claims.pop(key, None)
        if not self.away:
            self.values[key] = Kept(text, self.left_s)

    async def release(self, key: str, token: str) -> None:
        if self.claims.get(key) == token:
            del self.claims[key]

    async def aclose(self) -> None:
        """Nothing is open."""

    def expire(self) -> None:
        self.values.clear()
        self.claims.clear()

    def say(self, text: bytes) -> None:
        """To whoever looks next, for every key that is known."""
        for key in self.looks:
            self.values[key] = Kept(text, LEFT_S)
