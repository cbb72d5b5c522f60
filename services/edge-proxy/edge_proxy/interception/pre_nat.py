"""The source before this machine's own NAT: limits and locks count customers, not the NAT.

For an edge on a router that rewrites sources on their way to it. Conntrack knows what the
source was. A connection it does not know went through no NAT: its source stands.
"""

from dataclasses import dataclass, replace
from typing import Protocol

from edge_proxy.interception.conntrack import NotAsked
from edge_proxy.interception.conntrack_wire import Flow
from edge_proxy.interception.tproxy import local_end
from edge_proxy.ports import Arrived, Found, Interception, NoDestination, NotFound


class ConnectionTable(Protocol):
    def original_of(self, reply: Flow) -> Flow | None:
        """Raises NotAsked."""
        ...


@dataclass(frozen=True, slots=True)
class PreNat:
    """What ``inner`` finds, with the source as it was."""

    inner: Interception
    table: ConnectionTable

    async def find(self, arrived: Arrived) -> Found:
        found = await self.inner.find(arrived)
        try:
            original = self.table.original_of(Flow(local_end(arrived.socket), arrived.peer))
        except NotAsked as error:
            raise NoDestination(NotFound.NO_ANSWER, str(error)) from None
        return found if original is None else replace(found, source=original.source)
