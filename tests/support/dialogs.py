"""What a client may send, as hypothesis strategies: valid, careless and hostile.

``dialogs()`` gives the whole of a client's octets, ``splits(octets)`` a way to cut them.
"""

from itertools import cycle, islice, pairwise
from typing import Final

from hypothesis import strategies as st

from smtpgated_contracts.values.scan import Verdict
from tests.support.model_server import STEADY, Mood
from tests.support.relay_samples import CLEAN, VERDICTS

CREDENTIAL: Final = b"c2VjcmV0LXRva2Vu"
"""What a client authenticates with; no fact and no log line may hold it (I8)."""

_COMMON: Final = (
    b"NOOP\r\n",
    b"RSET\r\n",
    b"EHLO client.example\r\n",
    b"HELO client.example\r\n",
    b"MAIL FROM:<a@src.example>\r\n",
    b"RCPT TO:<b@dst.example>\r\n",
    b"AUTH PLAIN " + CREDENTIAL + b"\r\n",
    b"AUTH LOGIN\r\n" + CREDENTIAL + b"\r\n" + CREDENTIAL + b"\r\n",
    b"AUTH LOGIN\r\n*\r\n",
    b"VRFY b\r\n",
    b"noop again\r\n",
)
_REFUSED: Final = (
    b"XCLIENT ADDR=192.0.2.1\r\n",
    b"BDAT 0\r\n",
    b"BDAT 0 LAST\r\n",
    b"bdat  007 last\r\nab\r\n.\r\n",
    b"BDAT 9\r\nMAIL FROM",
    b"BDAT 25 LAST\r\nMAIL FROM:<x@y.example>\r\n",
    b"BDAT 5\r\nab\r\n.",
    b"MAIL FROM:nobody <a@b>\r\n",
    b"RCPT TO:<a b>\r\n",
    b"MAIL\r\n",
    b"\r\n",
    b"data\tx\r\n",
    b"NOOP " + b"x" * 2100 + b"\r\n",
)
_HOSTILE: Final = (
    b"NOOP\n",
    b"NO\rOP\r\n",
    b"MAIL FROM:<a@b>\0\r\n",
    b"BDAT\r\n",
    b"BDAT -1\r\n",
    b"GET / HTTP/1.1\r\nHost: mx\r\n\r\n",
    b"X" * 12_300 + b"\r\n",
    b"\r",
    b"\n",
    b"\0",
    b".\r\n",
)
_LINES: Final = (
    b"Subject: hello\r\n",
    b"\r\n",
    b"some text\r\n",
    b"..stuffed\r\n",
    b"..\r\n",
    b".x\r\n",
    b"x.\r\n",
    b"bare\nline\r\n",
    b"MAIL FROM:<evil@src.example>\r\n",
    b"DATA\r\n",
    b"\xff\xfe\xfd\r\n",
    b"y" * 1200 + b"\r\n",
)
_AMBIGUITIES: Final = (
    *(b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r\n.\r\r\n", b"\r\n.\0\r\n"),
    *(b"bare\rline\r\n", b"nul\0\r\n", b"a\r\r\n", b"a\n.b\r\n"),
)


_MOST_SLICES: Final = 500


@st.composite
def splits(draw: st.DrawFn, octets: bytes) -> list[bytes]:
    """Slices that make up ``octets``: cut at a few places anywhere, or all of them short."""
    if draw(st.booleans()):
        cuts = sorted(draw(st.sets(st.integers(0, len(octets)), max_size=12)))
        return [octets[a:b] for a, b in pairwise((0, *cuts, len(octets))) if a < b]
    sizes = draw(st.lists(st.sampled_from((1, 1, 2, 3, 4, 7, 20)), min_size=1, max_size=9))
    slices, at = [], 0
    for size in islice(cycle(sizes), _MOST_SLICES):
        slices.append(octets[at : at + size])
        at += size
    return [each for each in (*slices, octets[at:]) if each]


def contents(*, ambiguous: bool) -> st.SearchStrategy[bytes]:
    """Stuffed content before the terminator; sometimes with an end that is none."""
    lines = st.lists(st.sampled_from(_LINES), max_size=6).map(b"".join)
    if not ambiguous:
        return lines
    cut = st.tuples(lines, st.sampled_from(_AMBIGUITIES), lines).map(b"".join)
    return st.one_of(lines, lines, lines, cut)


@st.composite
def transactions(draw: st.DrawFn, *, hostile: bool) -> bytes:
    recipients = draw(st.integers(0 if hostile else 1, 3))
    head = b"MAIL FROM:<a@src.example> SIZE=100\r\n" + b"".join(
        b"RCPT TO:<r%d@dst.example>\r\n" % number for number in range(recipients)
    )
    return head + b"DATA\r\n" + draw(contents(ambiguous=hostile)) + b".\r\n"


@st.composite
def chunked(draw: st.DrawFn, *, hostile: bool) -> bytes:
    """A transaction by BDAT; in chunks a dot and a bare line end are octets like any other."""
    head = b"MAIL FROM:<a@src.example> BODY=BINARYMIME\r\n"
    recipients = draw(st.integers(0 if hostile else 1, 2))
    head += b"RCPT TO:<b@dst.example>\r\n" * recipients
    pieces = draw(st.lists(contents(ambiguous=True), max_size=3))
    if hostile:
        between = st.sampled_from((b"", b"", b"", b"NOOP\r\n", b"RSET\r\n", b"DATA\r\n"))
        return head + b"".join(b"BDAT %d\r\n%b" % (len(p), p) + draw(between) for p in pieces)
    *more, last = pieces or [b""]
    head += b"".join(b"BDAT %d\r\n%b" % (len(piece), piece) for piece in more)
    return head + b"BDAT %d LAST\r\n%b" % (len(last), last)


@st.composite
def dialogs(draw: st.DrawFn, *, hostile: bool = True, chunks: bool = True) -> bytes:
    """All that a client sends in one session, end to end. Not hostile: every piece is legal."""
    pieces = [draw(st.sampled_from((b"EHLO client.example\r\n", b"HELO client.example\r\n", b"")))]
    kinds = [transactions(hostile=hostile), st.sampled_from(_COMMON)]
    if chunks:
        kinds.append(chunked(hostile=False))
    if hostile:
        odd = st.one_of(*[st.sampled_from(_REFUSED)] * 4, st.sampled_from(_HOSTILE))
        kinds += [transactions(hostile=True), st.sampled_from(_COMMON), odd, chunked(hostile=True)]
    pieces += draw(st.lists(st.one_of(kinds), max_size=8))
    pieces.append(draw(st.sampled_from((b"QUIT\r\n", b"", b"NOOP\r\nQUIT\r\nRSET\r\n"))))
    return b"".join(pieces)


def moods(*, steady: bool = False) -> st.SearchStrategy[list[Mood]]:
    """The server's moods; willing for the most part."""
    every = sorted(STEADY if steady else set(Mood), key=lambda mood: mood.value)
    one = st.one_of(*[st.just(Mood.WILLING)] * 6, st.sampled_from(every))
    return st.lists(one, max_size=16)


def verdicts() -> st.SearchStrategy[list[Verdict]]:
    one = st.one_of(st.just(CLEAN), st.just(CLEAN), st.sampled_from(VERDICTS))
    return st.lists(one, max_size=6)


def choices() -> st.SearchStrategy[list[int]]:
    """Who moves next, and how much of it: see ``relay_model.interleave``."""
    return st.lists(st.integers(0, 255), max_size=80)
