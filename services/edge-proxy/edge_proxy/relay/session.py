"""One intercepted session: the inputs, each of which returns the actions it leads to.

The caller (the conductor, a test, a fuzzer) performs all actions of one input, in order, before
it delivers the next, and afterwards looks at ``wants_downstream``, ``patience`` and ``progress``.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from edge_proxy.relay import refusals
from edge_proxy.relay.actions import Action, AskPolicy, ConnectUpstream, Loss, ScanId
from edge_proxy.relay.chunks import read_chunk, read_skip
from edge_proxy.relay.content import read_content, read_discard
from edge_proxy.relay.conversation import Conversation
from edge_proxy.relay.downstream import (
    read_before_tls,
    read_command,
    read_dialogue,
    read_takeover,
)
from edge_proxy.relay.facts import CloseCause, SessionRecord
from edge_proxy.relay.judgement import connection_refusal_of
from edge_proxy.relay.loss import distrust_upstream, lose_upstream
from edge_proxy.relay.phases import PATIENCE_FOR_THE_END, Cause, Phase
from edge_proxy.relay.refusals import Refusal
from edge_proxy.relay.rules import judge, offended
from edge_proxy.relay.settings import CoreSettings, EarlyTalker
from edge_proxy.relay.upstream import grant_tls, read_replies
from edge_proxy.relay.verdict import dispose_unheard, verdict_came
from edge_proxy.smtp.errors import Violation, ViolationKind
from rulebook.values import Need, Offence, Rulebook
from rulebook.values import Phase as RulePhase
from smtpgated_contracts.values.mail import SessionRef
from smtpgated_contracts.values.policy import Decision, DecisionKind, Stage
from smtpgated_contracts.values.scan import EngineClass, Verdict

READERS: Final[Mapping[Phase, Callable[[Conversation], bool]]] = {
    Phase.COMMAND: read_command,
    Phase.DIALOGUE: read_dialogue,
    Phase.AWAIT_TLS: read_before_tls,
    Phase.CONTENT: read_content,
    Phase.CHUNK: read_chunk,
    Phase.DISCARD: read_discard,
    Phase.SKIP: read_skip,
    Phase.TAKEOVER: read_takeover,
}
"""A phase that is not here is a barrier."""

_OFFENCES: Final[Mapping[str, Offence]] = {each.value: each for each in Offence}
"""By the limit that a decision names as its cause."""

_LAST_WORDS: Final[Mapping[ViolationKind, Refusal]] = {
    ViolationKind.LINE_TOO_LONG: refusals.LINE_TOO_LONG,
    ViolationKind.BARE_LINE_END: refusals.BAD_LINE,
    ViolationKind.AMBIGUOUS_CONTENT: refusals.AMBIGUOUS_CONTENT,
    ViolationKind.MALFORMED_CHUNK: refusals.MALFORMED_CHUNK,
}

_IMPATIENCE: Final[Mapping[Phase, Refusal | None]] = {
    Phase.POLICY: refusals.NOT_READY,
    Phase.DECISION: refusals.NOT_READY,
    Phase.GREETING: refusals.CANNOT_CONNECT,
    Phase.AWAIT_REPLY: refusals.SERVER_SILENT,
    Phase.AWAIT_TLS: refusals.SERVER_SILENT,
    Phase.INTRODUCTION: refusals.SERVER_SILENT,
    Phase.AWAIT_GO_AHEAD: refusals.SERVER_SILENT,
    Phase.AWAIT_ENVELOPE: refusals.SERVER_SILENT,
    Phase.CHUNK: refusals.IDLE,  # the server owes an answer, but the client has to speak
    Phase.AWAIT_CHUNKS: refusals.SERVER_SILENT,
    Phase.TUNNEL: None,
}
"""What is said when patience ends; IDLE where nothing is here. VERDICT is judged instead."""

_WANTS_MORE: Final = frozenset(
    {Phase.CONTENT, Phase.CHUNK, Phase.DISCARD, Phase.DIALOGUE, Phase.SKIP, Phase.AWAIT_TLS}
)
"""Phases that a client which sends no more can never leave."""

_IN_CONTENT: Final = frozenset(
    {Phase.CONTENT, Phase.CHUNK, Phase.AWAIT_CHUNKS, Phase.VERDICT, Phase.DISCARD}
)
_ARRIVING: Final = frozenset({Phase.CONTENT, Phase.CHUNK, Phase.DISCARD, Phase.SKIP})
_BEFORE_THE_GREETING: Final = frozenset({Phase.POLICY, Phase.GREETING})


class RelaySession:
    """Sans-IO: synchronous, no clock, no input or output of its own."""

    __slots__ = ("_c",)

    def __init__(self, settings: CoreSettings, session: SessionRef, rulebook: Rulebook) -> None:
        self._c = Conversation(settings, session, rulebook)

    # What the caller looks at after each input

    @property
    def phase(self) -> Phase:
        return self._c.phase

    @property
    def record(self) -> SessionRecord:
        return self._c.record

    @property
    def has_begun_mail(self) -> bool:
        """Whether a transaction is under way, or one has ended."""
        return self._c.transaction.open or self._c.record.transactions > 0

    @property
    def wants_downstream(self) -> bool:
        """False while the inbox is full: then reading from the client has to stop."""
        return len(self._c.inbox) < self._c.settings.max_inbox

    @property
    def patience(self) -> float:
        """Seconds until ``deadline_passed``, counted from the last change of ``progress``."""
        c = self._c
        usual = c.settings.patience[c.phase]
        return max(usual, PATIENCE_FOR_THE_END) if c.ledger.unanswered_ends() else usual

    @property
    def progress(self) -> tuple[Phase, int]:
        """Changes with every phase and every step forward; an octet alone is no progress."""
        return self._c.phase, self._c.progress

    @property
    def content_arriving(self) -> tuple[int, int] | None:
        """Names the content that is arriving, wanted or not, whole or in chunks; None: none is."""
        c = self._c
        between_chunks = c.phase is Phase.COMMAND and c.transaction.ordinal > 0
        if c.phase in _ARRIVING or (between_chunks and not c.transaction.failed):
            return c.transactions, c.refused_commands
        return None

    # Inputs: the session

    def start(self, *, locked: bool = False) -> Sequence[Action]:
        """The connection was accepted. ``locked``: its source is."""
        c = self._c
        refusal = None if self._connection_waits_for_dns else self._connection_refusal()
        if locked:
            c.close(CloseCause.LOCK, refusals.LOCKED)
        elif refusal is not None:
            c.close(CloseCause.RULE, refusal)
        else:
            c.outbox.ask(ConnectUpstream())
            c.outbox.ask(AskPolicy(c.profiles))
        return c.outbox.take()

    def decided(self, decision: Decision) -> Sequence[Action]:
        """Answers AskPolicy, AskMail or AskData, of which one at most is out."""
        c = self._c
        if c.phase is Phase.POLICY:
            self._session_decided(decision)
        elif c.phase is Phase.DECISION and c.when_decided is not None:
            go_on, c.when_decided = c.when_decided, None
            c.progress += 1
            go_on(decision)
        return self._run()

    def identify(self, identity: str) -> Sequence[Action]:
        """Policy knows who the source is; rules that are asked from here on know it too."""
        self._c.facts.identity = identity
        return ()

    def trace(self, header: bytes) -> Sequence[Action]:
        """Put these whole header lines, none of which begins with a dot, before each message.

        Best told before the first message: EHLO's SIZE leaves room for them.
        """
        self._c.trace_header = header
        return ()

    def held(self, stage: Stage | None) -> Sequence[Action]:
        """A lock on the session's subjects came to this stage; None: there is none any more.

        REFUSE: no new mail, no end, no tunnel. REQUIRE_AUTH: no new mail before AUTH. What the
        milder stages mean is policy's affair.
        """
        c = self._c
        c.locked = stage is Stage.REFUSE
        c.requires_auth = stage is Stage.REQUIRE_AUTH
        if c.locked and c.phase is Phase.TUNNEL:
            c.close(CloseCause.LOCK)
        return self._run()

    def loaded(self, load: float) -> Sequence[Action]:
        """The edge's load average of one minute, which rules may ask for."""
        self._c.facts.load = load
        return ()

    def spare(self, classes: frozenset[EngineClass]) -> Sequence[Action]:
        """Messages that begin from now on are not scanned by these, whatever the rules say."""
        self._c.spared = classes
        return ()

    def tunnel_ended(self, by: CloseCause) -> Sequence[Action]:
        """Neither side sends any more; ``by`` ended first."""
        self._c.close_politely(by)
        return self._c.outbox.take()

    def cut_tunnel(self, by: CloseCause, detail: str) -> Sequence[Action]:
        """The tunnel broke a limit, or what goes through it is not TLS."""
        self._c.close(by, detail=detail)
        return self._c.outbox.take()

    def drain(self) -> Sequence[Action]:
        """Finish what was begun; close at the next border between transactions."""
        self._c.draining = True
        return self._run()

    def shut_down(self) -> Sequence[Action]:
        """The drain deadline: close now. What is held is not released."""
        c = self._c
        said = c.phase in (Phase.TUNNEL, Phase.TAKEOVER)
        in_content = c.phase in _IN_CONTENT
        last_word = refusals.DRAINED_IN_CONTENT if in_content else refusals.DRAINING
        c.close(CloseCause.DRAIN, None if said else last_word)
        return c.outbox.take()

    def deadline_passed(self) -> Sequence[Action]:
        """``patience`` has ended."""
        c = self._c
        if c.phase is Phase.VERDICT:
            dispose_unheard(c)
        elif c.ledger.awaits and c.phase not in _IMPATIENCE:
            c.close(CloseCause.TIMEOUT, refusals.SERVER_SILENT)
        else:
            c.close(CloseCause.TIMEOUT, _IMPATIENCE.get(c.phase, refusals.IDLE))
        return self._run()

    def content_overdue(self) -> Sequence[Action]:
        """The content that is arriving takes longer than a message may, however steadily."""
        if self.content_arriving is not None:
            self._c.close(CloseCause.TIMEOUT, refusals.CONTENT_TOO_SLOW)
        return self._c.outbox.take()

    # Inputs: downstream

    def downstream_octets(self, octets: bytes) -> Sequence[Action]:
        c = self._c
        if c.phase in _BEFORE_THE_GREETING and not len(c.inbox):
            self._spoke_early()
        c.inbox.feed(octets)
        return self._run()

    def looked(self, *, waiting: bool) -> Sequence[Action]:
        """Answers LookDownstream: whether octets wait that were not delivered yet."""
        c = self._c
        if c.phase is Phase.AWAIT_TLS and c.held_reply:
            if waiting:
                c.note_violation("plaintext after STARTTLS", upstream=False)
                c.close(CloseCause.VIOLATION, refusals.PLAINTEXT_BEFORE_TLS)
            elif c.locked:
                c.close(CloseCause.LOCK, refusals.CUT_BY_LOCK)
            else:
                grant_tls(c)
        return c.outbox.take()

    def downstream_ended(self) -> Sequence[Action]:
        """The client will send no more, but may still read (RFC 9293 §3.6)."""
        self._c.ended = True
        return self._run()

    def downstream_lost(self) -> Sequence[Action]:
        """The client is gone: nothing held is ever released."""
        self._c.close(CloseCause.CLIENT, detail="connection lost")
        return self._c.outbox.take()

    # Inputs: upstream

    def upstream_connected(self) -> Sequence[Action]:
        c = self._c
        c.upstream_open = c.phase is not Phase.CLOSED
        return ()

    def upstream_octets(self, octets: bytes) -> Sequence[Action]:
        """What comes after upstream was given up is nobody's."""
        if not self._c.upstream_open:
            return ()
        self._c.replies.feed(octets)
        self._read_upstream()
        return self._run()

    def upstream_lost(self, why: Loss) -> Sequence[Action]:
        lose_upstream(self._c, why)
        return self._run()

    # Inputs: the scanner

    def scanned(self, scan: ScanId, verdict: Verdict) -> Sequence[Action]:
        """Answers FinishScan; may come before it, when no more content is needed."""
        c = self._c
        if c.transaction.scan == scan:
            c.transaction.verdict = verdict
            if c.phase is Phase.AWAIT_CHUNKS:
                c.transaction.scan = None  # judged once the chunks are answered
            elif c.phase is Phase.VERDICT:
                verdict_came(c, verdict)
        return self._run()

    # The connection

    @property
    def _connection_waits_for_dns(self) -> bool:
        """Whether the rules of the connection depend on what policy looks up."""
        rulebook = self._c.rulebook
        return bool(rulebook.dnsbl) and Need.DNSBL in rulebook.needs(RulePhase.CONNECT)

    def _connection_refusal(self) -> Refusal | None:
        return connection_refusal_of(judge(self._c, RulePhase.CONNECT))

    def _session_decided(self, decision: Decision) -> None:
        c = self._c
        c.facts.dnsbl = frozenset(decision.listed_in)
        if (offence := _OFFENCES.get(decision.cause.rpartition(":")[2])) is not None:
            offended(c, offence)
        if decision.kind is DecisionKind.REFUSE:
            last_word = refusals.REFUSED_BY_RULE.saying(decision.reply)
            c.close(CloseCause.POLICY, last_word, detail=decision.cause)
        elif decision.kind is DecisionKind.DEFER:
            last_word = refusals.OVER_LIMIT.saying(decision.reply)
            c.close(CloseCause.POLICY, last_word, detail=decision.cause)
        elif self._connection_waits_for_dns and (refusal := self._connection_refusal()):
            c.close(CloseCause.RULE, refusal)
        else:
            c.go(Cause.ADMITTED)
            self._read_upstream()
            if c.lost is not None:
                lose_upstream(c, c.lost)

    # How every input ends

    def _run(self) -> Sequence[Action]:
        c = self._c
        try:
            while (reader := READERS.get(c.phase)) is not None and reader(c):
                pass
        except Violation as violation:
            c.note_violation(violation.kind.value, upstream=False)
            c.close(CloseCause.VIOLATION, _LAST_WORDS[violation.kind])
        if c.ended or c.draining:
            self._end_if_done()
        return c.outbox.take()

    def _read_upstream(self) -> None:
        c = self._c
        try:
            read_replies(c)
        except Violation as violation:
            distrust_upstream(c, violation)

    def _spoke_early(self) -> None:
        """The first octets of a client that did not wait for the greeting (RFC 5321 §4.3.1)."""
        c = self._c
        if c.settings.early_talker is not EarlyTalker.IGNORE:
            c.note_violation("spoke before the greeting", upstream=False)
            offended(c, Offence.EARLY_TALKER)
        if c.settings.early_talker is EarlyTalker.REFUSE:
            c.close(CloseCause.VIOLATION, refusals.EARLY_TALKER)

    def _end_if_done(self) -> None:
        """A client that sends no more, or an edge that drains: close once nothing is owed."""
        c = self._c
        if c.phase is Phase.COMMAND and not c.ledger.awaits:
            if c.ended:
                c.close_politely(CloseCause.CLIENT)
            elif not c.transaction.open:
                c.close(CloseCause.DRAIN, None if c.farewell else refusals.DRAINING)
        elif c.ended and c.phase in _WANTS_MORE:
            c.close(CloseCause.CLIENT, detail="ended in mid-command")
        elif c.ended and c.phase is Phase.TAKEOVER:
            c.close_politely(CloseCause.CLIENT)
