"""One session's actions, performed into records, and what must never be asked for.

Every test that drives a ``RelaySession`` lets a ``Witness`` see its actions. It asserts at each
of them what holds always (the letters of edge invariants I2, I5, I7 and the shape of an outbox);
what holds for a whole session is for the test to compare, from the records.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from edge_proxy.relay.actions import (
    AbandonScan,
    AbortUpstream,
    Action,
    AskData,
    AskMail,
    AskPolicy,
    BecomeTunnel,
    BeginScan,
    CloseDownstream,
    CloseUpstream,
    ConnectUpstream,
    FeedScan,
    FinishScan,
    KnowUser,
    LookDownstream,
    Note,
    ScanId,
    SendDownstream,
    SendUpstream,
)
from edge_proxy.relay.facts import Fact
from smtpgated_contracts.values.mail import Envelope
from smtpgated_contracts.values.scan import EngineClass, Verdict


class LinkState(Enum):
    NONE = "none"
    ASKED = "asked for"
    OPEN = "open"
    GONE = "gone"


@dataclass(slots=True)
class ScanSeen:
    """One scan as the scanner sees it. ``verdict`` is the one delivered to the core."""

    scan: ScanId
    skip: frozenset[EngineClass]
    content: bytearray = field(default_factory=bytearray)
    envelope: Envelope | None = None
    head_only: bool = False
    verdict: Verdict | None = None
    abandoned: bool = False

    @property
    def finished(self) -> bool:
        return self.envelope is not None

    @property
    def over(self) -> bool:
        """Nothing may be asked of it any more (I5)."""
        return self.abandoned or (self.finished and self.verdict is not None)


class Witness:
    """``see`` the actions of one input; then read the records."""

    def __init__(self) -> None:
        self.downstream = bytearray()
        self.upstream = bytearray()
        self.scans: dict[ScanId, ScanSeen] = {}
        self.facts: list[Fact] = []
        self.control: list[Action] = []
        self.upstream_link = LinkState.NONE
        self.closed = False
        self.tunnel = False
        self.looks_owed = 0
        self.policy_asked = False
        self.decisions_owed = 0
        self.users: list[bytes] = []

    @property
    def last_scan(self) -> ScanSeen | None:
        return next(reversed(self.scans.values()), None)

    def see(self, actions: Sequence[Action]) -> None:
        """All actions of one input."""
        for side in (SendDownstream, SendUpstream):
            writes = sum(isinstance(action, side) for action in actions)
            assert writes <= 1, f"{writes} writes to one link in one input: {actions}"
        for action in actions:
            assert not self.closed, f"{action} after the end of the session"
            self._see(action)

    def _see(self, action: Action) -> None:
        match action:
            case SendDownstream(octets):
                assert octets
                assert not self.tunnel, "an octet of ours in a tunnel"
                self.downstream += octets
            case SendUpstream(octets):
                assert octets
                assert not self.tunnel, "an octet of ours in a tunnel"
                assert self.upstream_link is LinkState.OPEN, f"{octets!r} to no upstream"
                self.upstream += octets
            case FeedScan(content):
                assert content
                self._running_scan().content += content
            case Note(fact):
                self.facts.append(fact)
            case _:
                self.control.append(action)
                self._see_control(action)

    def _see_control(self, action: Action) -> None:
        match action:
            case ConnectUpstream():
                assert self.upstream_link is LinkState.NONE
                self.upstream_link = LinkState.ASKED
            case AskPolicy():
                assert not self.policy_asked
                self.policy_asked = True
                self.decisions_owed += 1
            case AskMail() | AskData():
                assert not self.decisions_owed, "asked twice at once"
                self.decisions_owed += 1
            case KnowUser(user):
                assert user
                self.users.append(user)
            case AbortUpstream() | CloseUpstream():
                assert self.upstream_link is LinkState.OPEN, "closed, but it was not open"
                self.upstream_link = LinkState.GONE
            case CloseDownstream():
                assert self.upstream_link is not LinkState.OPEN, "the server is left hanging"
                self.closed = True
            case LookDownstream():
                self.looks_owed += 1
            case BecomeTunnel():
                assert not self.tunnel
                self.tunnel = True
            case BeginScan() | FinishScan() | AbandonScan():
                self._see_scan(action)
            case _:
                raise AssertionError(f"{action} is not known here")

    def _see_scan(self, action: BeginScan | FinishScan | AbandonScan) -> None:
        if isinstance(action, BeginScan):
            assert all(scan.over for scan in self.scans.values()), "a scan was forgotten"
            assert action.scan not in self.scans
            self.scans[action.scan] = ScanSeen(action.scan, action.skip)
            return
        scan = self._running_scan()
        assert scan.scan == action.scan
        if isinstance(action, FinishScan):
            assert not scan.finished, "finished twice"
            scan.envelope, scan.head_only = action.envelope, action.head_only
        else:
            scan.abandoned = True

    def _running_scan(self) -> ScanSeen:
        scan = self.last_scan
        assert scan is not None, "no scan was begun"
        assert not scan.over, "asked of a scan that is over"
        return scan
