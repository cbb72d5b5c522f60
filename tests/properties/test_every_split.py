"""Every sequence of the desync matrix, cut in two at every octet, against the sans-IO core.

What the network made of the stream may not decide what was said in it: the same messages
stored, the same content scanned, the same answers, wherever the cut.
"""

from typing import NamedTuple

import pytest

from tests.support.desync.sequences import SEQUENCES, Sequence
from tests.support.relay_model import Play
from tests.support.relay_samples import CLEAN

_ENVELOPE = b"EHLO me.example\r\n", b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n"
_SHORT = [each for each in SEQUENCES if each.variant in ("in one slice", "a NUL before the dot",
                                                         "a NUL behind the dot")]  # fmt: skip


class Played(NamedTuple):
    """What came of a session, on all sides."""

    downstream: bytes
    stored: tuple[bytes, ...]
    scanned: tuple[bytes, ...]


def played(*slices: bytes) -> Played:
    """The slices behind the 354, each followed by all that server and scanner have to say."""
    play = Play()
    play.begin()
    for octets in (*_ENVELOPE, *slices):
        if play.seen.closed:
            break
        play.client(octets)
        settle(play)
    settle(play)
    finished = (bytes(scan.content) for scan in play.seen.scans.values() if scan.finished)
    return Played(bytes(play.seen.downstream), tuple(play.server.stored), tuple(finished))


def settle(play: Play) -> None:
    """Replies delivered and scans judged clean, until nobody has anything to say."""
    while True:
        play.deliver_all()
        scan = play.seen.last_scan
        if scan is None or not scan.finished or scan.over:
            return
        play.verdict(CLEAN)


def name_of(sequence: Sequence) -> str:
    return f"{sequence.variant}: {sequence.name}"


@pytest.mark.parametrize("sequence", _SHORT, ids=name_of)
def test_a_cut_anywhere_changes_nothing(sequence: Sequence) -> None:
    octets = b"".join(sequence.steps(b"#"))
    whole = played(octets)
    assert len(whole.stored) == len(whole.scanned) == sequence.messages
    for cut in range(1, len(octets)):
        assert played(octets[:cut], octets[cut:]) == whole, octets[cut - 5 : cut + 5]
