"""When each token was last used, roughly: told to the store once a minute, whatever happens."""

import asyncio
from typing import Final

from policy.ports import AmendingStore
from policy.replica.presence import StorePresence
from service_kit.failures import Unavailable

TOLD_EVERY_S: Final = 60.0


class TokenUses:
    """Of this process, since it told the store last. As many as there are tokens."""

    __slots__ = ("_used",)

    def __init__(self) -> None:
        self._used: dict[str, int] = {}

    def used(self, token_id: str, at_ms: int) -> None:
        self._used[token_id] = at_ms

    def of(self, token_id: str) -> int:
        """0: not since it was told."""
        return self._used.get(token_id, 0)

    async def tell(self, store: AmendingStore, presence: StorePresence) -> None:
        """For ever. What cannot be told is told the next time."""
        while True:
            await asyncio.sleep(TOLD_EVERY_S)
            if presence.away or not self._used:
                continue
            telling = dict(self._used)
            try:
                await store.tokens_used(telling)
            except Unavailable as error:
                presence.lost(error)
                continue
            for token_id, at_ms in telling.items():
                if self._used.get(token_id) == at_ms:
                    del self._used[token_id]
