"""An accepted connection for an interception to ask about, without a connection."""

from collections import deque
from dataclasses import dataclass, field

import pytest

from edge_proxy.ports import Interception, NoDestination, NotFound
from smtpgated_contracts.values.mail import Endpoint


@dataclass(frozen=True, slots=True)
class LocalEnd:
    """An AcceptedSocket whose local address is all that anybody knows."""

    name: tuple[str, int] | tuple[str, int, int, int]

    def getsockname(self) -> tuple[str, int] | tuple[str, int, int, int]:
        return self.name

    def getsockopt(self, _level: int, _option: int, _length: int, /) -> bytes:
        raise OSError("nobody should ask")


@dataclass(slots=True)
class StandingArrival:
    """An Arrived: ``says`` are the slices the client sends before it leaves."""

    peer: Endpoint
    socket: LocalEnd
    says: deque[bytes] = field(default_factory=deque)

    async def octets(self) -> bytes:
        if not self.says:
            raise NoDestination(NotFound.LEFT)
        return self.says.popleft()

    def unread(self, octets: bytes) -> None:
        if octets:
            self.says.appendleft(octets)

    @property
    def left_for_the_session(self) -> bytes:
        return b"".join(self.says)


def arrival(peer: Endpoint, local: Endpoint, *says: bytes) -> StandingArrival:
    return StandingArrival(peer, LocalEnd((local.address, local.port)), deque(says))


async def not_found(interception: Interception, arrived: StandingArrival) -> NoDestination:
    """Why nothing was found."""
    with pytest.raises(NoDestination) as caught:
        await interception.find(arrived)
    return caught.value
