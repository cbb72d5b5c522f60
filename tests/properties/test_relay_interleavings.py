"""Anything may happen at any moment: no exception leaves the core, and what holds always holds.

The rules are the inputs of a session, with sane and insane arguments. ``Play`` and ``Witness``
assert after every one: a clear end or none, one write a link, scans that end once, no end of
content without a verdict, bounds, silence after the end.
"""

from typing import Any, Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from edge_proxy.relay.actions import Loss, ScanId
from edge_proxy.relay.phases import Phase
from edge_proxy.relay.settings import CoreSettings, EarlyTalker
from rulebook.defaults import DEFAULT_DOCUMENT
from rulebook.document import parse
from rulebook.values import Rulebook
from smtpgated_contracts.values.policy import ADMITTED, Decision, DecisionKind
from smtpgated_contracts.values.scan import Verdict
from tests.support.dialogs import chunked, contents, dialogs, moods, transactions
from tests.support.model_server import ModelServer, Mood
from tests.support.relay_model import Play
from tests.support.relay_samples import VERDICTS
from tests.support.witness import LinkState

_DEFAULT_RULES: Final = DEFAULT_DOCUMENT[DEFAULT_DOCUMENT.index("[[rules]]") :]
_RULEBOOKS: Final = tuple(
    parse(f"schema = 1\n{text}\n{_DEFAULT_RULES}")
    for text in (
        '[scanning]\nlimit_octets = 40\noversize = "refuse"',
        '[scanning]\nlimit_octets = 40\noversize = "release"',
        '[scanning]\nlimit_octets = 40\noversize = "head"',
        '[scanning]\nstances = { virus = "open", spam = "open" }',
        'starttls = "mask"',
        '[[rules]]\nid = "s"\nphase = "helo"\naction = "skip-virus-scan"',
        """
        [[rules]]
        id = "s"
        phase = "helo"
        action = "skip-virus-scan"
        [[rules]]
        id = "t"
        phase = "data"
        action = "skip-spam-scan"
        """,
        '[[rules]]\nid = "s"\nphase = "mail"\nwhen = { authenticated = false }\naction = "defer"',
    )
)

_GARBAGE: Final = (
    b"220 again\r\n",
    b"250 Ok\r\n",
    b"250-unfinished\r\n",
    b"354 go ahead\r\n",
    b"334 \r\n",
    b"421 closing\r\n",
    b"550 no\r\n",
    b"hello\r\n",
    b"250 bare\n",
    b"250 nul\0\r\n",
    b"2",
    b"250 " + b"x" * 3000,
)

_PIECES: Final = st.one_of(
    dialogs(),
    transactions(hostile=True),
    contents(ambiguous=True),
    st.sampled_from(
        (b"DATA\r\n", b".\r\n", b"QUIT\r\n", b"STARTTLS\r\n", b"RSET\r\n", b"\r\n", b".", b"\r")
    ),
    st.sampled_from((b"BDAT 5 LAST\r\nabcde" * 7, b"BDAT 4000\r\nabcde", b"x\r\n" * 8)),
    st.sampled_from((b"BDAT 0 LAST\r\n", b"BDAT 3\r\na\r\n", b"BDAT 2 LAST\r\nab")),
    chunked(hostile=True),
)
_SETTINGS: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"chunking": False, "spoofed_header": b"X-Trace"},
    {"size_limit_octets": 12},
    {"content_as_chunks": True},
    {"content_as_chunks": True, "size_limit_octets": 12},
    {"xclient": True, "xclient_login": True},
    {"most_mails": 2, "most_recipients": 1},
    {"early_talker": EarlyTalker.REFUSE},
)
"""What an operator may choose, each alone."""


_MESSAGE: Final = b"EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"
_CHUNKS: Final = _MESSAGE.replace(b"DATA", b"NOOP")
_PROLOGUES: Final = (
    None,
    b"",
    b"EHLO c\r\n",
    _MESSAGE,
    _MESSAGE,
    _CHUNKS,
    _CHUNKS,
    _MESSAGE + b"text\r\n.\r\n",
    _CHUNKS + b"BDAT 2 LAST\r\n\r\n",
)

_RARELY: Final = st.integers(0, 3).map(lambda chance: chance == 3)
"""Ends of sessions: if they came as often as the rest, no session would get anywhere."""


class Interleavings(RuleBasedStateMachine):
    @initialize(
        moods=moods(),
        rulebook=st.sampled_from(_RULEBOOKS),
        most_owed=st.sampled_from((2, 128)),
        prologue=st.sampled_from(_PROLOGUES),
        chosen=st.sampled_from(_SETTINGS),
    )
    def start(
        self,
        moods: list[Mood],
        rulebook: Rulebook,
        most_owed: int,
        prologue: bytes | None,
        chosen: dict[str, Any],
    ) -> None:
        """Sessions are watched from the first moment on, or from where it becomes interesting."""
        settings = CoreSettings(
            max_owed_replies=most_owed, max_inbox=2000, max_skipped=5000, **chosen
        )
        willing = () if prologue is None else [Mood.WILLING] * prologue.count(b"\r\n")
        server = ModelServer([*willing, *moods])
        self.play = Play(server, rulebook=rulebook, settings=settings)
        self.connecting = prologue is None
        if prologue is None:
            self.play.start()
            return
        self.play.begin()
        self.play.deliver_all()
        for line in prologue.splitlines(keepends=True):
            self.play.client(line)
            self.play.deliver_all()

    @property
    def hears(self) -> bool:
        """The client's octets reach the core: no tunnel, and it reads."""
        return not self.play.seen.tunnel and self.play.core.wants_downstream

    # The usual

    @precondition(lambda self: self.connecting)
    @rule()
    def connected(self) -> None:
        self.connecting = False
        if self.play.seen.closed:  # the conductor closes such a connection itself
            self.play._tell(self.play.core.upstream_connected())
        else:
            self.play.connected()

    @rule()
    def admitted(self) -> None:
        self.play.decide(ADMITTED)

    @precondition(lambda self: self.hears)
    @rule(octets=_PIECES)
    def client_sends(self, octets: bytes) -> None:
        self.play.client(octets)

    @precondition(lambda self: self.hears)
    @rule(octets=_PIECES, size=st.integers(1, 30))
    def client_sends_slices(self, octets: bytes, size: int) -> None:
        for start in range(0, len(octets), size):
            if self.hears:
                self.play.client(octets[start : start + size])

    @precondition(lambda self: not self.play.seen.tunnel)
    @rule(most=st.one_of(st.none(), st.integers(1, 30)))
    def server_answers(self, most: int | None) -> None:
        self.play.deliver(most)

    @precondition(lambda self: not self.play.seen.tunnel)
    @rule()
    def server_answers_all(self) -> None:
        while not self.play.seen.tunnel and self.play.deliver():
            pass

    @precondition(lambda self: self.play.seen.scans)
    @rule(verdict=st.sampled_from(VERDICTS))
    def scanner_answers(self, verdict: Verdict) -> None:
        self.play.verdict(verdict)

    # The unusual

    @rule(kind=st.sampled_from(DecisionKind), now=_RARELY)
    def decided(self, kind: DecisionKind, now: bool) -> None:
        if now:
            self.play.decide(Decision(kind, "test"))

    @rule(verdict=st.sampled_from(VERDICTS), scan=st.integers(0, 9))
    def scanner_answers_what_nobody_asked(self, verdict: Verdict, scan: int) -> None:
        running = {each.scan for each in self.play.seen.scans.values() if not each.over}
        if ScanId(scan) not in running:
            self.play.stray_verdict(ScanId(scan), verdict)

    @precondition(lambda self: self.play.seen.upstream_link is LinkState.OPEN)
    @precondition(lambda self: not self.play.seen.tunnel)
    @rule(octets=st.sampled_from(_GARBAGE), now=_RARELY)
    def server_says_what_nobody_asked(self, octets: bytes, now: bool) -> None:
        if now:
            self.play.server_says(octets)

    @rule(why=st.sampled_from(Loss), now=_RARELY)
    def server_is_lost(self, why: Loss, now: bool) -> None:
        if now:
            self.connecting = False
            self.play.server_lost(why)

    @rule(waiting=st.booleans())
    def octets_wait_in_the_kernel(self, waiting: bool) -> None:
        self.play.waiting = waiting

    @rule(now=_RARELY)
    def client_ends(self, now: bool) -> None:
        if now:
            self.play.client_ends()

    @rule(now=_RARELY)
    def client_is_lost(self, now: bool) -> None:
        if now:
            self.play.client_lost()

    @rule()
    def locked(self) -> None:
        self.play.lock()

    @rule()
    def unlocked(self) -> None:
        self.play.unlock()

    @rule(now=_RARELY)
    def drain(self, now: bool) -> None:
        if now:
            self.play.drain()

    @rule(header=st.sampled_from((b"", b"X-Trace: a\r\n\tb\r\n")))
    def traced(self, header: bytes) -> None:
        self.play.trace(header)

    @rule(now=_RARELY)
    def content_takes_too_long(self, now: bool) -> None:
        if now:
            self.play.content_overdue()

    @rule(now=_RARELY)
    def deadline_passes(self, now: bool) -> None:
        if now:
            self.play.deadline()

    def teardown(self) -> None:
        """However far it got: the last input of a session ends it, once."""
        if not hasattr(self, "play"):
            return
        self.play.shut_down()
        assert self.play.seen.closed
        for verb in (self.play.drain, self.play.deadline, self.play.client_lost, self.play.lock):
            verb()
        self.play.client(b"NOOP\r\n")
        assert self.play.core.phase is Phase.CLOSED


TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = settings(max_examples=4 * settings().max_examples)
