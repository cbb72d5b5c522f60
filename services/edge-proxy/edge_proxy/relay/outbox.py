"""The actions of one input, in order, with neighbouring sends merged into one write.

Octets for the two sides do not wait for each other, nor for scans and notes: they merge past
all of these, so that one input is one write to a link. What closes a link, looks at it or makes
it a tunnel stays behind every send to that link that came before it.
"""

from typing import Final

from edge_proxy.relay.actions import (
    AbortUpstream,
    Action,
    BecomeTunnel,
    CloseDownstream,
    CloseUpstream,
    FeedScan,
    LookDownstream,
    SendDownstream,
    SendUpstream,
)

_ABOUT_UPSTREAM: Final = (AbortUpstream, CloseUpstream, BecomeTunnel)
_ABOUT_DOWNSTREAM: Final = (CloseDownstream, LookDownstream, BecomeTunnel)


class Outbox:
    __slots__ = ("_actions", "_downstream", "_upstream")

    def __init__(self) -> None:
        self._actions: list[Action] = []
        self._downstream: list[bytes] = []
        self._upstream: list[bytes] = []

    def send_downstream(self, octets: bytes) -> None:
        if octets:
            self._downstream.append(octets)

    def send_upstream(self, octets: bytes) -> None:
        if octets:
            self._upstream.append(octets)

    def feed_scan(self, content: bytes) -> None:
        if content:
            self._actions.append(FeedScan(content))

    def ask(self, action: Action) -> None:
        if isinstance(action, _ABOUT_UPSTREAM):
            self._flush_upstream()
        if isinstance(action, _ABOUT_DOWNSTREAM):
            self._flush_downstream()
        self._actions.append(action)

    def take(self) -> list[Action]:
        self._flush_upstream()
        self._flush_downstream()
        actions, self._actions = self._actions, []
        return actions

    def _flush_upstream(self) -> None:
        if self._upstream:
            self._actions.append(SendUpstream(_joined(self._upstream)))
            self._upstream = []

    def _flush_downstream(self) -> None:
        if self._downstream:
            self._actions.append(SendDownstream(_joined(self._downstream)))
            self._downstream = []


def _joined(parts: list[bytes]) -> bytes:
    return parts[0] if len(parts) == 1 else b"".join(parts)
