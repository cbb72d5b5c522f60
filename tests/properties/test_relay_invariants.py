"""I1 to I10 of the relay core, each for any dialog, any server, any verdicts, any timing.

The core is let loose in ``relay_model``; what must come of it is said by ``plain_relay``, which
has the whole stream in its hands and waits for every answer.
"""

from dataclasses import replace
from typing import Final

from hypothesis import assume, given
from hypothesis import strategies as st

from edge_proxy.relay.facts import CloseCause, Fact, TransactionEnded
from edge_proxy.relay.phases import Phase
from edge_proxy.relay.settings import CoreSettings
from edge_proxy.smtp.limits import AUTH_LINE
from edge_proxy.smtp.paths import parse_path
from smtpgated_contracts.values.policy import Disposition
from smtpgated_contracts.values.scan import Verdict
from tests.support.dialogs import CREDENTIAL, choices, dialogs, moods, splits, verdicts
from tests.support.model_server import ModelServer, Mood
from tests.support.plain_relay import End, PlainOutcome, PlainRelay
from tests.support.relay_model import Play, interleave
from tests.support.witness import ScanSeen

Case = tuple[bytes, list[Mood], list[Verdict]]


def played(
    case: Case, slices: list[bytes], order: list[int], settings: CoreSettings | None = None
) -> Play:
    _, server_moods, scan_verdicts = case
    play = Play(ModelServer(server_moods), settings=settings)
    interleave(play, slices, scan_verdicts, iter(order))
    return play


def plainly(case: Case) -> PlainOutcome:
    client, server_moods, scan_verdicts = case
    return PlainRelay(client, ModelServer(server_moods), scan_verdicts).run()


def judged_scans(play: Play) -> list[ScanSeen]:
    """Those whose message came to its end. When the server refused a chunk, how much of what
    came behind it had been fed, and whether a verdict was there, depends on time."""
    given_up = {
        fact.transaction
        for fact in play.seen.facts
        if isinstance(fact, TransactionEnded) and fact.disposition is Disposition.ABANDONED
    }
    return [s for s in play.seen.scans.values() if s.finished and s.scan not in given_up]


def certain_facts(play: Play) -> list[Fact]:
    """What does not depend on time of all facts."""
    return [
        replace(fact, content_octets=0, verdict=None)
        if isinstance(fact, TransactionEnded) and fact.disposition is Disposition.ABANDONED
        else fact
        for fact in play.seen.facts
    ]


HOSTILE_CLIENTS: Final = st.tuples(dialogs(), moods(steady=True), verdicts())
HOSTILE_SERVERS: Final = st.tuples(dialogs(hostile=False), moods(), verdicts())
HONEST: Final = st.tuples(dialogs(hostile=False), moods(steady=True), verdicts())


@st.composite
def cut(draw: st.DrawFn, cases: st.SearchStrategy[Case]) -> tuple[Case, list[bytes], list[int]]:
    """A case, one way to cut its client's octets, one order of events."""
    case = draw(cases)
    return case, draw(splits(case[0])), draw(choices())


@given(cut(HOSTILE_CLIENTS))
def test_i1_upstream_gets_what_downstream_sent_less_what_we_answered(
    drawn: tuple[Case, list[bytes], list[int]],
) -> None:
    play, plain = played(*drawn), plainly(drawn[0])
    certain, sent = plain.upstream, bytes(play.seen.upstream)
    assert sent[: len(certain)] == certain
    loose = sent[len(certain) :]
    assert plain.loose.startswith(loose)
    if plain.end is End.STREAM:
        assert len(plain.loose) - len(loose) <= 2, "more was held back than could be the end"


@given(cut(HOSTILE_SERVERS))
def test_i1_holds_up_to_where_the_server_left(
    drawn: tuple[Case, list[bytes], list[int]],
) -> None:
    play, plain = played(*drawn), plainly(drawn[0])
    assert bytes(play.seen.upstream).startswith(plain.upstream)


@given(cut(st.one_of(HOSTILE_CLIENTS, HOSTILE_SERVERS)))
def test_i2_the_server_sees_the_end_of_content_only_after_a_verdict_that_allows_it(
    drawn: tuple[Case, list[bytes], list[int]],
) -> None:
    play, plain = played(*drawn), plainly(drawn[0])  # Play asserts it at each end
    assert play.server.early_ends == 0
    assert len(play.server.stored) == plain.released


def assert_ended_by_a_last_word(told: bytes, plain: PlainOutcome) -> None:
    """A last word answers whatever is owed: replies under way then never come."""
    assert told.endswith(plain.last_word)
    before = told[: len(told) - len(plain.last_word)]
    assert before in {b"".join(plain.replies[:count]) for count in range(len(plain.replies) + 1)}


@given(cut(HOSTILE_CLIENTS))
def test_i3_each_command_gets_one_reply_in_order_whoever_wrote_it(
    drawn: tuple[Case, list[bytes], list[int]],
) -> None:
    play, plain = played(*drawn), plainly(drawn[0])
    if plain.end is End.OURS:
        assert_ended_by_a_last_word(bytes(play.seen.downstream), plain)
    else:
        assert bytes(play.seen.downstream) == plain.downstream


@given(cut(HOSTILE_SERVERS))
def test_i3_holds_up_to_where_the_server_left(
    drawn: tuple[Case, list[bytes], list[int]],
) -> None:
    play, plain = played(*drawn), plainly(drawn[0])
    if plain.end is End.OURS:
        assert_ended_by_a_last_word(bytes(play.seen.downstream), plain)
    elif plain.end is End.SERVER:
        assert bytes(play.seen.downstream).startswith(b"".join(plain.replies))
    else:
        assert bytes(play.seen.downstream) == plain.downstream


@given(cut(st.one_of(HOSTILE_CLIENTS, HOSTILE_SERVERS)))
def test_i4_the_scanner_gets_the_content_the_server_gets(
    drawn: tuple[Case, list[bytes], list[int]],
) -> None:
    play, plain = played(*drawn), plainly(drawn[0])
    finished = [bytes(scan.content) for scan in judged_scans(play)]
    assert finished == plain.contents
    for content in play.server.contents:
        assert content in finished


@given(cut(HONEST))
def test_i4_the_scanner_gets_the_envelope_the_server_accepted(
    drawn: tuple[Case, list[bytes], list[int]],
) -> None:
    play = played(*drawn)
    scans = list(play.seen.scans.values())
    # Of an empty message in chunks the server hears nothing before it is released.
    assume(b"BDAT" not in drawn[0][0] or all(scan.content for scan in scans))
    assert len(scans) == len(play.server.envelopes)
    for scan, (sender, *recipients) in zip(scans, play.server.envelopes, strict=True):
        if scan.envelope is not None:
            assert scan.envelope.reverse_path == parse_path(sender, b"FROM")
            assert list(scan.envelope.recipients) == [parse_path(r, b"TO") for r in recipients]


@given(cut(st.one_of(HOSTILE_CLIENTS, HOSTILE_SERVERS)))
def test_i5_every_scan_ends_in_a_verdict_or_is_abandoned(
    drawn: tuple[Case, list[bytes], list[int]],
) -> None:
    play = played(*drawn)
    play.client_lost()
    assert all(scan.over for scan in play.seen.scans.values())


@given(dialogs(), st.integers(1, 6), st.data())
def test_i6_inbox_and_ledger_are_bounded_and_at_the_bound_reading_stops(
    client: bytes, most_owed: int, data: st.DataObject
) -> None:
    """The server greets, then says nothing: everything piles up that can."""
    settings = CoreSettings(max_owed_replies=most_owed, max_inbox=600)
    play = Play(settings=settings)
    play.begin()
    play.deliver()
    for octets in data.draw(splits(client)):
        if play.seen.closed:
            break
        if not play.core.wants_downstream:
            assert len(play.core._c.inbox) >= settings.max_inbox
            break
        play.client(octets)
        assert len(play.core._c.ledger) <= most_owed
        assert len(play.core._c.inbox) < max(settings.max_inbox, AUTH_LINE) + len(octets)


@given(
    dialogs(hostile=False, chunks=False), choices(), st.binary(max_size=20), st.binary(max_size=20)
)
def test_i7_no_octet_is_read_in_a_tunnel_and_none_skipped_before(
    dialog: bytes, order: list[int], client: bytes, server: bytes
) -> None:
    dialog = dialog.replace(b"QUIT\r\n", b"") + b"STARTTLS\r\n"
    play = Play()
    interleave(play, [dialog], [], iter(order))
    assert play.seen.tunnel
    assert play.core.phase is Phase.TUNNEL
    assert len(play.core._c.inbox) == len(play.core._c.replies) == 0
    assert bytes(play.seen.upstream) == dialog, "an octet before the tunnel went astray"
    assert not play.server.outgoing, "a reply before the tunnel went astray"
    told = bytes(play.seen.downstream)
    play.client(client)
    play.server_says(server)
    assert bytes(play.seen.upstream) == dialog
    assert bytes(play.seen.downstream) == told
    assert play.core.phase is Phase.TUNNEL


@given(
    dialogs(hostile=False, chunks=False),
    choices(),
    st.binary(min_size=1, max_size=20),
    st.sampled_from(("at once", "later", "in the kernel")),
)
def test_i7_plaintext_behind_starttls_becomes_no_tunnel_and_goes_nowhere(
    dialog: bytes, order: list[int], behind: bytes, when: str
) -> None:
    dialog = dialog.replace(b"QUIT\r\n", b"")
    play = Play()
    play.waiting = when == "in the kernel"
    interleave(play, [dialog], [], iter(order))
    play.client(b"STARTTLS\r\n" + (behind if when == "at once" else b""))
    if when == "later":
        play.client(behind)
    play.deliver_all()
    assert play.core.phase is Phase.CLOSED
    assert not play.seen.tunnel
    assert bytes(play.seen.upstream) == dialog + b"STARTTLS\r\n"
    assert bytes(play.seen.downstream).endswith(b"Unexpected plaintext after STARTTLS\r\n")


@given(cut(st.one_of(HOSTILE_CLIENTS, HOSTILE_SERVERS)))
def test_i8_credentials_reach_no_fact(drawn: tuple[Case, list[bytes], list[int]]) -> None:
    play = played(*drawn)
    play.shut_down()
    told = repr((play.seen.facts, play.core.record, play.seen.control))
    assert CREDENTIAL.decode() not in told


CHOICES: Final = (
    CoreSettings(),
    CoreSettings(),
    CoreSettings(size_limit_octets=30),
    CoreSettings(chunking=False, spoofed_header=b"Subject"),
    CoreSettings(xclient=True),
    CoreSettings(most_mails=2, most_recipients=1),
)


@given(cut(HONEST), st.sampled_from(CHOICES), st.data())
def test_i9_how_the_octets_were_cut_changes_nothing(
    drawn: tuple[Case, list[bytes], list[int]], chosen: CoreSettings, data: st.DataObject
) -> None:
    case, slices, order = drawn
    play = played(case, slices, order, chosen)
    # Where the server refuses DATA the content is commands, and a bad one is the end: at once,
    # in place of what the server has yet to answer.
    assume(play.core.record.closed_by is not CloseCause.VIOLATION)
    again = played(case, data.draw(splits(case[0])), data.draw(choices()), chosen)
    assert again.seen.downstream == play.seen.downstream
    assert again.seen.upstream == play.seen.upstream
    assert judged_scans(again) == judged_scans(play)
    assert certain_facts(again) == certain_facts(play)
    assert again.core.record == play.core.record
    assert again.core.phase is play.core.phase


@given(cut(st.one_of(HOSTILE_CLIENTS, HOSTILE_SERVERS)), st.integers(1, 60))
def test_i10_no_content_goes_upstream_beyond_the_size_that_is_allowed(
    drawn: tuple[Case, list[bytes], list[int]], limit: int
) -> None:
    play = played(*drawn, CoreSettings(size_limit_octets=limit))
    assert all(len(content) <= limit for content in play.server.contents)
    assert all(len(scan.content) <= limit for scan in play.seen.scans.values())


@given(cut(st.one_of(HOSTILE_CLIENTS, HOSTILE_SERVERS)))
def test_i10_no_header_of_ours_comes_from_a_client(
    drawn: tuple[Case, list[bytes], list[int]],
) -> None:
    play = played(*drawn, CoreSettings(chunking=False, spoofed_header=b"Subject"))
    for content in play.server.contents:
        header, _, _ = (b"\r\n" + content).partition(b"\r\n\r\n")
        assert b"\r\nsubject:" not in header.lower()


@given(cut(HONEST), st.data())
def test_i11_data_as_chunks_is_the_same_message(
    drawn: tuple[Case, list[bytes], list[int]], data: st.DataObject
) -> None:
    """The same verdict on the same content and envelope, whatever the slices; only the replies to
    DATA are ours, and the session outlives a refusal."""
    case, slices, order = drawn
    converted = CoreSettings(content_as_chunks=True)
    play = played(case, slices, order, converted)
    again = played(case, data.draw(splits(case[0])), data.draw(choices()), converted)
    for one in (play, again):
        assert all(content in [bytes(s.content) for s in judged_scans(one)]
                   for content in one.server.contents)  # fmt: skip
    if not case[1]:  # a server in a mood of its own answers chunks by their number
        assert judged_scans(again) == judged_scans(play)
        assert again.server.contents == play.server.contents
        assert again.core.phase is play.core.phase
