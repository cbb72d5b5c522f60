"""Where events go that somebody acts on."""

from typing import Protocol

from edge_proxy.events.names import EventName
from edge_proxy.events.occurrence import Occurrence


class EventPort(Protocol):
    def wants(self, name: EventName) -> bool:
        """Whether it is worth while to describe such an event."""
        ...

    def tell(self, about: Occurrence) -> None:
        """Never waits; what is too much is dropped and counted."""
        ...
