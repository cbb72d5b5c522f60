"""Octets -> the moves of one session: what the fuzzer varies, and what must hold.

The first octet chooses what is configured. Each move is one octet that says what happens, and
for some a few more that say how. So every
input is a session, similar inputs are similar sessions, and a finding can be read as one. What
must hold is asserted by ``Play`` and ``Witness``: no exception leaves the core; nothing is sent
after the end; no server, however lenient, sees an end of content without a verdict; nothing
ambiguous is relayed; every scan ends once; inbox, ledger and replies are bounded.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from edge_proxy.relay.actions import Loss, ScanId
from edge_proxy.relay.phases import Phase
from edge_proxy.relay.settings import CoreSettings, EarlyTalker
from smtpgated_contracts.values.policy import Decision, DecisionKind
from tests.support.model_server import ModelServer
from tests.support.relay_model import Play
from tests.support.relay_samples import VERDICTS
from tests.support.witness import LinkState

CLIENT_PHRASES: Final = (
    b"EHLO c\r\n",
    b"HELO c\r\n",
    b"MAIL FROM:<a@b>\r\n",
    b"RCPT TO:<c@d>\r\n",
    b"DATA\r\n",
    b".\r\n",
    b"\r\n.\r\n",
    b"..\r\n",
    b"text\r\n",
    b"\r",
    b"\n",
    b".",
    b"\0",
    b"BDAT 3 LAST\r\n",
    b"BDAT 70\r\n",
    b"AUTH LOGIN\r\n",
    b"AUTH PLAIN AA==\r\n",
    b"*\r\n",
    b"STARTTLS\r\n",
    b"QUIT\r\n",
    b"RSET\r\n",
    b"NOOP\r\n",
    b"XONE\r\n",
    b"GET / HTTP/1.1\r\n",
    b"x" * 700,
    b"BDAT 0 LAST\r\n",
    b"BDAT 2\r\n\r\n",
    b"BDAT 9 LAST\r\nabcdefghi",
    b"bdat 007\r\na\n.\nb\r\n",
    b"MAIL FROM:<a@b> SIZE=99999\r\n",
    b"X-Trace: spoofed\r\n",
)
SERVER_PHRASES: Final = (
    b"220 mx\r\n",
    b"250 ok\r\n",
    b"250-more\r\n",
    b"334 \r\n",
    b"354 go\r\n",
    b"421 closing\r\n",
    b"450 later\r\n",
    b"550 never\r\n",
    b"235 accepted\r\n",
    b"221 bye\r\n",
    b"hello\r\n",
    b"250",
    b"\n",
    b"y" * 700,
    b"250-mx\r\n250-CHUNKING\r\n250-XCLIENT ADDR PORT LOGIN\r\n250 SIZE 90\r\n",
    b"220 pleased\r\n",
)
SETTINGS: Final = (
    CoreSettings(),
    CoreSettings(chunking=False, spoofed_header=b"X-Trace"),
    CoreSettings(size_limit_octets=12),
    CoreSettings(xclient=True, xclient_login=True),
    CoreSettings(content_as_chunks=True),
    CoreSettings(early_talker=EarlyTalker.REFUSE, most_mails=1, most_recipients=1),
)
"""By the number of sessions' first octet."""


class _Moves:
    def __init__(self, octets: bytes) -> None:
        self._octets = iter(octets[1:])
        chosen = SETTINGS[octets[0] % len(SETTINGS)] if octets else SETTINGS[0]
        bounded = replace(chosen, max_owed_replies=8, max_inbox=900, max_skipped=300)
        self.play = Play(ModelServer(), settings=bounded)
        self.play.start()

    def __iter__(self) -> Iterator[int]:
        return self._octets

    def _number(self) -> int:
        return next(self._octets, 0)

    def _raw(self) -> bytes:
        return bytes(self._number() for _ in range(self._number() % 32))

    def client_phrase(self) -> None:
        self._client(CLIENT_PHRASES[self._number() % len(CLIENT_PHRASES)])

    def client_octets(self) -> None:
        self._client(self._raw())

    def server_phrase(self) -> None:
        self._server(SERVER_PHRASES[self._number() % len(SERVER_PHRASES)])

    def server_octets(self) -> None:
        self._server(self._raw())

    def server_answers(self) -> None:
        while not self.play.seen.tunnel and self.play.deliver():
            pass

    def server_answers_in_part(self) -> None:
        self.play.deliver(1 + self._number() % 16)

    def connected(self) -> None:
        if self.play.seen.upstream_link is LinkState.ASKED and not self.play.seen.closed:
            self.play.connected()

    def decided(self) -> None:
        kinds = (DecisionKind.ADMIT, DecisionKind.ADMIT, DecisionKind.ADMIT, *DecisionKind)
        self.play.decide(Decision(kinds[self._number() % len(kinds)]))

    def scanned(self) -> None:
        verdict = VERDICTS[self._number() % len(VERDICTS)]
        if self.play.seen.scans:
            self.play.verdict(verdict)
        else:
            self.play.stray_verdict(ScanId(1), verdict)

    def server_lost(self) -> None:
        self.play.server_lost(tuple(Loss)[self._number() % len(Loss)])

    def octets_wait(self) -> None:
        self.play.waiting = not self.play.waiting

    def client_ends(self) -> None:
        self.play.client_ends()

    def client_lost(self) -> None:
        self.play.client_lost()

    def locked(self) -> None:
        self.play.lock()

    def unlocked(self) -> None:
        self.play.unlock()

    def drain(self) -> None:
        self.play.drain()

    def deadline(self) -> None:
        self.play.deadline()

    def content_overdue(self) -> None:
        self.play.content_overdue()

    def traced(self) -> None:
        self.play.trace((b"", b"X-Trace: ours\r\n")[self._number() % 2])

    def _client(self, octets: bytes) -> None:
        if self.play.core.wants_downstream and not self.play.seen.tunnel:
            self.play.client(octets)

    def _server(self, octets: bytes) -> None:
        if self.play.seen.upstream_link is LinkState.OPEN and not self.play.seen.tunnel:
            self.play.server_says(octets)


MOVES: Final[tuple[Callable[[_Moves], None], ...]] = (
    _Moves.client_phrase,
    _Moves.server_answers,
    _Moves.scanned,
    _Moves.connected,
    _Moves.decided,
    _Moves.client_octets,
    _Moves.server_answers_in_part,
    _Moves.server_phrase,
    _Moves.server_octets,
    _Moves.deadline,
    _Moves.drain,
    _Moves.locked,
    _Moves.unlocked,
    _Moves.client_ends,
    _Moves.client_lost,
    _Moves.server_lost,
    _Moves.octets_wait,
    _Moves.content_overdue,
    _Moves.traced,
)
"""By the first octet of a move; kept in this order, or stored findings mean something else."""


def one_session(octets: bytes) -> Play:
    """Raises whatever leaves the core, or AssertionError for what must not happen."""
    moves = _Moves(octets)
    for move in moves:
        MOVES[move % len(MOVES)](moves)
    play = moves.play
    play.shut_down()
    assert play.core.phase is Phase.CLOSED
    return play


def seeds() -> list[bytes]:
    """Sessions to begin with: each reaches far, then chance goes on from there."""
    begin = bytes((0, 3, 4, 0, 1))  # as configured; connected, decided, server answers
    ehlo = bytes((0, 0, 1))
    envelope = bytes((0, 2, 0, 3, 0, 4, 1))
    message = bytes((*ehlo, *envelope, 0, 8, 0, 5))
    far = [
        begin,
        begin + ehlo,
        begin + message,
        begin + message + bytes((2, 0, 1)) + envelope + bytes((0, 8, 0, 5, 2, 1)),
        begin + message + bytes((9,)),
        begin + ehlo + bytes((0, 15, 1, 0, 17, 1)),
        begin + ehlo + bytes((0, 18, 1)),
        begin + ehlo + bytes((0, 13, 0, 14, 5, 20)),
        begin + ehlo + envelope + bytes((0, 8, 15, 3, 0, 6, 0, 19)),
        begin + ehlo + envelope + bytes((0, 8, 0, 10, 0, 11, 0, 10)),
    ]
    addressed = bytes((*ehlo, 0, 2, 0, 3, 1))
    chunks = bytes((0, 26, 0, 28, 1, 0, 27, 1))
    far += [
        begin + addressed + chunks + bytes((2, 0, 1)),
        begin + addressed + chunks + bytes((2, 1, 1)) + addressed + chunks + bytes((2, 0, 1)),
        begin + addressed + bytes((0, 14, 5, 20, 15, 3, 0, 19)),
        bytes((0, 3, 4, 0, 18, 1, 1)) + addressed + chunks + bytes((2, 0, 1)),
    ]
    far += [bytes((chosen,)) + each[1:] for chosen in range(1, len(SETTINGS)) for each in far[:3]]
    far += [bytes((2,)) + begin[1:] + addressed + chunks, bytes((3,)) + begin[1:] + addressed]
    chance = random.Random(20260101)
    return far + [start + chance.randbytes(40) for start in far for _ in range(20)]
