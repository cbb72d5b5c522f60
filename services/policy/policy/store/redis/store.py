"""The PolicyStore that a farm runs on: the parts over one pool, the feed over its own."""

from policy.core.leases import LEASE_S
from policy.store.redis.amending import RedisAmending
from policy.store.redis.decisions import RedisDecisions
from policy.store.redis.identities import RedisIdentities
from policy.store.redis.journal import RedisJournal
from policy.store.redis.keys import Keys
from policy.store.redis.leases import RedisLeases
from policy.store.redis.link import RedisLink
from policy.store.redis.masters import MasterFinder
from policy.store.redis.penalties import RedisPenalties
from policy.store.redis.shared_state import RedisSharedState
from policy.store.redis.whereabouts import Whereabouts
from service_kit.clock import Clock


class RedisStore(
    RedisLeases,
    RedisPenalties,
    RedisSharedState,
    RedisIdentities,
    RedisJournal,
    RedisDecisions,
    RedisAmending,
):
    """``farm`` names the keys. ``clock`` None: the time is Redis's own.

    ``finder`` says which node has them; None: the one of the URL.
    """

    def __init__(
        self,
        url: str,
        farm: str,
        deadline_s: float,
        lease_ms: int = LEASE_S * 1000,
        clock: Clock | None = None,
        finder: MasterFinder | None = None,
    ) -> None:
        whereabouts = Whereabouts(finder) if finder else None
        link = RedisLink(url, deadline_s, whereabouts=whereabouts)
        # Of its own, because it waits: it would hold a connection of the decisions.
        feed_link = RedisLink(url, deadline_s, most_connections=1, whereabouts=whereabouts)
        keys = Keys(farm)
        RedisLeases.__init__(self, link, keys, lease_ms, clock)
        RedisPenalties.__init__(self, link, keys, clock)
        RedisSharedState.__init__(self, link, feed_link, keys, clock)
        RedisIdentities.__init__(self, link, keys)
        RedisJournal.__init__(self, link, keys, clock)
        RedisDecisions.__init__(self, link, keys)
        RedisAmending.__init__(self, link, keys)
        self._links = (link, feed_link)

    async def aclose(self) -> None:
        for link in self._links:
            await link.aclose()
