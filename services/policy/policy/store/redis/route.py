"""One link's connections to the node that holds the farm's keys.

Where that node can change, ``whereabouts`` says which it is. When it is another one than before,
the connections to the old one are cut, whoever is using them: what they wait for is not the
farm's any more.
"""

from contextlib import suppress

from redis.asyncio import Redis
from redis.exceptions import RedisError

from policy.store.redis.connecting import Options, client_of
from policy.store.redis.whereabouts import Whereabouts
from service_kit.addresses import HostPort


class Route:
    """At most ``most_connections``. ``whereabouts`` None: the host of the options, always."""

    def __init__(
        self, options: Options, most_connections: int, whereabouts: Whereabouts | None
    ) -> None:
        self._options = options
        self._most_connections = most_connections
        self._whereabouts = whereabouts
        self._address: HostPort | None = None
        self._client = self._connected_to(None)

    async def client(self) -> "Redis":
        """Raises Unavailable when nobody knows the way."""
        if self._whereabouts is not None:
            address = await self._whereabouts.known()
            if address != self._address:
                await self._move(address)
        return self._client

    def doubt(self) -> None:
        if self._whereabouts is not None:
            self._whereabouts.doubt()

    async def look_again(self) -> None:
        """See ``Whereabouts``."""
        if self._whereabouts is not None:
            await self._whereabouts.look_again()

    async def aclose(self) -> None:
        await self._client.aclose(close_connection_pool=True)

    async def _move(self, address: HostPort) -> None:
        old, self._client = self._client, self._connected_to(address)
        self._address = address
        with suppress(RedisError, OSError):
            await old.aclose(close_connection_pool=True)

    def _connected_to(self, address: HostPort | None) -> "Redis":
        return client_of(self._options, address, self._most_connections)
