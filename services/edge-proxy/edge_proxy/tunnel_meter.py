"""What a tunnel has carried since policy was last told: limits count it while it runs."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from edge_proxy.ports import OutcomePort
from smtpgated_contracts.values.mail import Envelope, SessionRef
from smtpgated_contracts.values.reported import Tunnelled

EVERY_S: Final = 10.0
"""How late a limit may learn of what passes, besides the report's own way."""


class Carrying(Protocol):
    """A tunnel. ``octets_up``: the client's; ``messages``: so many until now, estimated."""

    octets_up: int

    @property
    def messages(self) -> int: ...


class TunnelMeter:
    """Of one tunnel, from its making until ``stop``. ``whose``: the session as it is known then."""

    __slots__ = ("_auth_user", "_outcomes", "_profiles", "_timer", "_told", "_tunnel", "_whose")

    def __init__(
        self,
        outcomes: OutcomePort,
        whose: Callable[[], SessionRef],
        tunnel: Carrying,
        auth_user: bytes,
        profiles: tuple[str, ...],
    ) -> None:
        self._outcomes = outcomes
        self._whose = whose
        self._tunnel = tunnel
        self._auth_user = auth_user
        self._profiles = profiles
        self._told = (0, 0)
        self._timer = asyncio.get_running_loop().call_later(EVERY_S, self._tick)

    def stop(self) -> None:
        self._timer.cancel()
        self._tell()

    def _tick(self) -> None:
        self._tell()
        self._timer = asyncio.get_running_loop().call_later(EVERY_S, self._tick)

    def _tell(self) -> None:
        octets, messages = now = self._tunnel.octets_up, self._tunnel.messages
        octets_told, messages_told = self._told
        if now == self._told:
            return
        self._told = now
        envelope = Envelope(authenticated=bool(self._auth_user), auth_user=self._auth_user)
        self._outcomes.report(
            Tunnelled(
                self._whose(),
                envelope,
                self._profiles,
                octets=octets - octets_told,
                messages=messages - messages_told,
            )
        )
