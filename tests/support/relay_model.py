"""One ``RelaySession`` in a model of its world: client, server, scanner, policy, no sockets.

``Play`` delivers inputs and performs actions; ``Witness`` records and asserts. Tests choose the
order in which things happen; whatever they choose, what ``Play._tell`` asserts must hold.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from edge_proxy.relay.actions import Action, Loss, ScanId
from edge_proxy.relay.facts import Fact, TransactionEnded
from edge_proxy.relay.phases import Phase
from edge_proxy.relay.session import READERS, RelaySession
from edge_proxy.relay.settings import CoreSettings
from edge_proxy.smtp.limits import AUTH_LINE, REPLY
from rulebook.values import Oversize, Rulebook
from smtpgated_contracts.values.mail import SessionRef
from smtpgated_contracts.values.policy import ADMITTED, Decision, Disposition, Stage
from smtpgated_contracts.values.scan import EngineClass, Verdict, VerdictKind
from tests.support.model_server import ANY_END, ModelServer
from tests.support.relay_samples import CLEAN, RULEBOOK, SESSION, UNSCANNED, lets_through
from tests.support.witness import LinkState, ScanSeen, Witness


class Play:
    """``client`` and the other methods are inputs; ``seen`` is what came of them."""

    def __init__(
        self,
        server: ModelServer | None = None,
        *,
        rulebook: Rulebook = RULEBOOK,
        settings: CoreSettings | None = None,
        session: SessionRef = SESSION,
    ) -> None:
        self.server = server or ModelServer()
        self.rulebook = rulebook
        self.settings = settings or CoreSettings()
        self.core = RelaySession(self.settings, session, rulebook)
        self.seen = Witness()
        self.honest = True  # whether all that the server said was its model's
        self.waiting = False  # what a look downstream finds
        self.locked_now = False
        self.waited_out: ScanSeen | None = None
        self._phase = self.core.phase
        self._chunked = False  # whether its content goes upstream as BDAT, and has no end mark
        self._content = bytearray()  # what the server has of a message whose end is not sent

    # Inputs

    def start(self, *, locked: bool = False) -> None:
        self.locked_now = locked
        self._tell(self.core.start(locked=locked))

    def connected(self) -> None:
        self.seen.upstream_link = LinkState.OPEN
        self._tell(self.core.upstream_connected())

    def decide(self, decision: Decision = ADMITTED) -> None:
        """Whatever was asked, if anything was."""
        self.seen.decisions_owed = 0
        self._tell(self.core.decided(decision))

    def begin(self) -> None:
        """As most sessions begin; the greeting is still to be delivered."""
        self.start()
        self.connected()
        self.decide()

    def client(self, octets: bytes) -> None:
        self._tell(self.core.downstream_octets(octets))

    def client_ends(self) -> None:
        self._tell(self.core.downstream_ended())

    def client_lost(self) -> None:
        self._tell(self.core.downstream_lost())

    def server_says(self, octets: bytes) -> None:
        """Octets that the model of the server knows nothing of: it cannot be asked any more."""
        self.honest = False
        self._tell(self.core.upstream_octets(octets))

    def server_lost(self, why: Loss = Loss.CLOSED) -> None:
        self.seen.upstream_link = LinkState.GONE
        self._tell(self.core.upstream_lost(why))

    def verdict(self, verdict: Verdict, scan: ScanSeen | None = None) -> None:
        """For the scan given, or the one begun last."""
        scan = scan or self.seen.last_scan
        assert scan is not None
        if not scan.over:
            scan.verdict = verdict
        self.stray_verdict(scan.scan, verdict)

    def stray_verdict(self, scan: ScanId, verdict: Verdict) -> None:
        """Delivered whether or not such a scan runs."""
        self._tell(self.core.scanned(scan, verdict))

    def lock(self) -> None:
        self.locked_now = True
        self._tell(self.core.held(Stage.REFUSE))

    def unlock(self) -> None:
        self.locked_now = False
        self._tell(self.core.held(None))

    def require_auth(self) -> None:
        self.locked_now = False
        self._tell(self.core.held(Stage.REQUIRE_AUTH))

    def drain(self) -> None:
        self._tell(self.core.drain())

    def shut_down(self) -> None:
        self._tell(self.core.shut_down())

    def trace(self, header: bytes) -> None:
        self._tell(self.core.trace(header))

    def content_overdue(self) -> None:
        self._tell(self.core.content_overdue())

    def deadline(self) -> None:
        if self.core.phase is Phase.VERDICT:
            self.waited_out = self.seen.last_scan
        self._tell(self.core.deadline_passed())

    # The server's side

    def deliver(self, most: int | None = None) -> bool:
        """The next thing the server said, or up to ``most`` octets of it; False: nothing."""
        outgoing = self.server.outgoing
        if not outgoing or self.seen.upstream_link is not LinkState.OPEN:
            return False
        said = outgoing.popleft()
        if said is None:
            self.server_lost()
            return True
        if most is not None and most < len(said):
            outgoing.appendleft(said[most:])
            said = said[:most]
        self._tell(self.core.upstream_octets(said))
        return True

    def deliver_all(self) -> None:
        while self.deliver():
            pass

    # What must hold after every input

    def _tell(self, actions: Sequence[Action]) -> None:
        stored, sent = len(self.server.stored), len(self.seen.upstream)
        facts = len(self.seen.facts)
        self.seen.see(actions)
        octets = bytes(self.seen.upstream[sent:])
        self.server.receive(octets)
        self._check_content(octets, self.seen.facts[facts:])
        if self.honest:
            self._check_stored(len(self.server.stored) - stored)
        self._check_bounds()
        if self.seen.closed:
            assert self.core.phase is Phase.CLOSED
        if self.core.phase is Phase.CLOSED:
            assert self.seen.closed
            assert all(scan.over for scan in self.seen.scans.values()), "a scan was forgotten"
        if self.seen.looks_owed:
            self.seen.looks_owed -= 1
            self._tell(self.core.looked(waiting=self.waiting))

    def _check_content(self, sent: bytes, facts: Sequence[Fact]) -> None:
        """I2 by what the core does: an end was allowed, and content without one has none."""
        before, self._phase = self._phase, self.core.phase
        chunked, self._chunked = self._chunked, self.core._c.transaction.chunked
        if before not in _ABOUT_CONTENT or (chunked and before is not Phase.VERDICT):
            return
        if before is Phase.AWAIT_GO_AHEAD:
            self._content.clear()
        if _released(self._phase, facts):
            if before is not Phase.AWAIT_GO_AHEAD:
                self._check_allowed()
        elif before is not Phase.VERDICT:
            self._content += sent
            lone = ANY_END.search(b"\r\n" + self._content)
            assert lone is None, "an end in content that was not released"

    def _check_stored(self, count: int) -> None:
        """I2 by what the server makes of it: what it takes for the end was allowed."""
        assert not self.server.early_ends, "some server saw an end here"
        for _ in range(count):
            self._check_allowed()

    def _check_allowed(self) -> None:
        assert not self.locked_now, "an end was sent for a locked source"
        scan = self.seen.last_scan
        if scan is None or len(scan.skip) == len(EngineClass):
            return
        if scan is self.waited_out:
            assert lets_through(self.rulebook, UNSCANNED, scan.skip)
        elif scan.abandoned:
            assert self.rulebook.scanning.oversize is Oversize.RELEASE
            assert scan.verdict is None or scan.verdict.kind is not VerdictKind.INFECTED
        else:
            assert scan.verdict is not None, "an end was sent without a verdict"
            assert lets_through(self.rulebook, scan.verdict, scan.skip)

    def _check_bounds(self) -> None:
        """I6, as far as it holds after every input."""
        conversation = self.core._c
        assert len(conversation.ledger) <= self.settings.max_owed_replies
        if self.core.phase in READERS and len(conversation.ledger) < self.settings.max_owed_replies:
            assert len(conversation.inbox) < AUTH_LINE, "a reader left more than part of a line"
        assert len(conversation.replies) <= 2 * REPLY
        assert self.core.patience > 0


_ABOUT_CONTENT: Final = frozenset({Phase.AWAIT_GO_AHEAD, Phase.CONTENT, Phase.VERDICT})
_NOT_RELEASED: Final = frozenset({Phase.CONTENT, Phase.VERDICT, Phase.DISCARD, Phase.TAKEOVER})


def _released(phase: Phase, facts: Sequence[Fact]) -> bool:
    """Whether an input that came in content, and led to ``phase``, let the message go."""
    ended = [fact.disposition for fact in facts if isinstance(fact, TransactionEnded)]
    if phase is Phase.CLOSED:
        return Disposition.RELEASE in ended
    given_up = Disposition.REFUSE in ended or Disposition.DEFER in ended
    return phase not in _NOT_RELEASED and not given_up


def interleave(
    play: Play,
    slices: Sequence[bytes],
    verdicts: Sequence[Verdict],
    choices: Iterator[int],
) -> None:
    """Let client, server and scanner move in the order that ``choices`` say, until none can.

    While there are choices the client is hasty: it never waits for an answer, only while the
    edge does not read. When they are used up, every answer comes before its next slice. Verdicts
    are by the order of scans, and may come before the content is whole.
    """
    play.begin()
    coming = list(reversed(slices))
    while True:
        moves = []
        if play.server.outgoing and play.seen.upstream_link is LinkState.OPEN:
            moves.append(_SERVER)
        if coming and play.core.wants_downstream and not play.seen.closed:
            moves.append(_CLIENT)
        scan = play.seen.last_scan
        if scan is not None and not scan.over and scan.verdict is None:
            moves.append(_SCANNER)
        if not moves:
            return
        choice = next(choices, 0)
        move = moves[choice % len(moves)]
        if move is _SCANNER and scan is not None:
            ordinal = len(play.seen.scans) - 1
            play.verdict(verdicts[ordinal] if ordinal < len(verdicts) else CLEAN, scan)
        elif move is _SERVER:
            play.deliver(None if choice < 64 else 1 + choice % 9)
        else:
            play.client(coming.pop())


_CLIENT, _SERVER, _SCANNER = "client", "server", "scanner"
