"""How one node is connected to: what the URL says, and what the farm wants of every connection."""

from collections.abc import Mapping
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import UnixDomainSocketConnection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from service_kit.addresses import HostPort

Options = Mapping[str, Any]
"""As redis-py names them."""


def options_of(url: str, connect_s: float) -> Options:
    """Of ``url`` (redis://, rediss://, unix://); ``connect_s``: how long connecting may take."""
    parsed: dict[str, Any] = dict(parse_url(url))
    if parsed.get("connection_class") is not UnixDomainSocketConnection:
        # A node that vanished without a word is noticed, even by who only listens.
        parsed["socket_keepalive"] = True
    return parsed | {
        # The deadline of the whole call is ours; neither pool nor socket may have a shorter one,
        # and nothing is tried again behind our back.
        "timeout": None,
        "socket_timeout": None,
        "socket_connect_timeout": connect_s,
        "retry": Retry(NoBackoff(), 0),
        "decode_responses": True,
        "protocol": 2,
    }


def sentinel_options(options: Options, password: str | None) -> Options:
    """For Sentinels beside a master with ``options``: the same transport, their own password."""
    masters_own = ("db", "username", "password")
    kept = {name: value for name, value in options.items() if name not in masters_own}
    return kept | ({"password": password} if password else {})


def client_of(options: Options, address: HostPort | None, most_connections: int) -> "Redis":
    """``address`` None: that of the options."""
    where = {"host": address.host, "port": address.port} if address else {}
    return Redis.from_pool(
        BlockingConnectionPool(max_connections=most_connections, **{**options, **where})
    )
