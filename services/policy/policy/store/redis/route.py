"""The connections to the node that holds the farm's keys, and the doubt whether it still does.

Without a finder that node is the one of the URL, always. With one, every failure raises a doubt:
before the next call the finder is asked, and where the node is another one now, the connections
to the old one are cut, whoever is using them: what they wait for is not the farm's any more.
"""

import asyncio
from contextlib import suppress

from redis.asyncio import Redis
from redis.exceptions import RedisError

from policy.store.redis.connecting import Options, client_of
from policy.store.redis.masters import MasterFinder
from service_kit.addresses import HostPort


class Route:
    """At most ``most_connections``. ``finder`` None: the host of the options."""

    def __init__(
        self, options: Options, most_connections: int, finder: MasterFinder | None
    ) -> None:
        self._options = options
        self._most_connections = most_connections
        self._finder = finder
        self._finding = asyncio.Lock()
        self._in_doubt = finder is not None
        self._address: HostPort | None = None
        self._client: Redis | None = None if finder else self._connected_to(None)

    async def client(self) -> "Redis":
        """Raises Unavailable when nobody knows the way."""
        if self._in_doubt:
            await self._find()
        assert self._client is not None, "found"
        return self._client

    def doubt(self) -> None:
        """A call failed: maybe because the node is not the one any more."""
        self._in_doubt = self._finder is not None

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.aclose(close_connection_pool=True)

    async def _find(self) -> None:
        async with self._finding:
            # Whoever waited for the lock finds the doubt settled.
            if not self._in_doubt or self._finder is None:
                return
            address = await self._finder.master()
            if address != self._address:
                old, self._client = self._client, self._connected_to(address)
                self._address = address
                if old is not None:
                    with suppress(RedisError, OSError):
                        await old.aclose(close_connection_pool=True)
            self._in_doubt = False

    def _connected_to(self, address: HostPort | None) -> "Redis":
        return client_of(self._options, address, self._most_connections)
