"""Which node holds a farm's keys now, where several could: asked of Sentinels or of a cluster.

All keys of a farm lie in one slot, so a cluster is for us what Sentinels are: a way to learn one
address. Every node that the configuration names is asked at once and what most of them say is
believed, for one that was cut off says what was true before. Errors: ``Unavailable``.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Protocol

from redis.asyncio import Redis
from redis.crc import key_slot

from policy.store.redis.connecting import Options, client_of
from service_kit.addresses import HostPort
from service_kit.failures import FailureKind, Unavailable, translated

Asking = Callable[["Redis", HostPort], Awaitable[HostPort]]
"""Asks one connected node, whose address is given."""


class MasterFinder(Protocol):
    async def master(self) -> HostPort:
        """Where the farm's keys are."""
        ...


class MostSay:
    """``patience_s``: how long each of ``nodes`` is waited for, all at the same time."""

    def __init__(
        self, nodes: Sequence[HostPort], options: Options, ask: Asking, patience_s: float
    ) -> None:
        self._nodes = nodes
        self._options = options
        self._ask = ask
        self._patience_s = patience_s

    async def master(self) -> HostPort:
        said = await asyncio.gather(*map(self._said, self._nodes))
        votes = Counter(each for each in said if isinstance(each, HostPort))
        for address, _ in votes.most_common(1):
            return address
        raise next(each for each in said if isinstance(each, Unavailable))

    async def _said(self, node: HostPort) -> HostPort | Unavailable:
        client = client_of(self._options, node, most_connections=1)
        try:
            with translated("redis"):
                async with asyncio.timeout(self._patience_s):
                    return await self._ask(client, node)
        except Unavailable as error:
            return error
        finally:
            await client.aclose(close_connection_pool=True)


def sentinels_ask(service: str) -> Asking:
    """``service``: what the Sentinels call the master they watch."""

    async def ask(sentinel: "Redis", node: HostPort) -> HostPort:
        found = await _run(sentinel, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", service)
        if not found:
            raise _no_sense(f"{node} does not watch {service}")
        return _address(found[0], found[1], node)

    return ask


def cluster_asks(key: str) -> Asking:
    """``key``: any of the farm's."""
    slot: Final = key_slot(key.encode())

    async def ask(member: "Redis", node: HostPort) -> HostPort:
        for first, last, holder, *_ in await _run(member, "CLUSTER", "SLOTS"):
            if first <= slot <= last:
                return _address(holder[0], holder[1], node)
        raise _no_sense(f"{node} knows no holder of slot {slot}")

    return ask


class Verified:
    """What ``finder`` says, if that node agrees that it is a master: it may have been demoted."""

    def __init__(self, finder: MasterFinder, options: Options, patience_s: float) -> None:
        self._finder = finder
        self._options = options
        self._patience_s = patience_s

    async def master(self) -> HostPort:
        address = await self._finder.master()
        client = client_of(self._options, address, most_connections=1)
        try:
            with translated("redis"):
                async with asyncio.timeout(self._patience_s):
                    role = await _run(client, "ROLE")
        finally:
            await client.aclose(close_connection_pool=True)
        if role[0] != "master":
            raise _no_sense(f"{address} is a {role[0]}, not a master")
        return address


def _address(host: str | None, port: Any, asked: HostPort) -> HostPort:
    """A node that does not know its own address is where it was reached."""
    return HostPort(host or asked.host, int(port))


def _no_sense(detail: str) -> Unavailable:
    return Unavailable("redis", FailureKind.BROKEN, retryable=True, detail=detail)


async def _run(client: "Redis", *command: str) -> Any:
    return await client.execute_command(*command)  # type: ignore[no-untyped-call]  # redis-py
