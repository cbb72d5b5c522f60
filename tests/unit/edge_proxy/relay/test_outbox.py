import pytest

from edge_proxy.relay.actions import (
    AbandonScan,
    AbortUpstream,
    Action,
    BecomeTunnel,
    BeginScan,
    CloseDownstream,
    CloseUpstream,
    FeedScan,
    FinishScan,
    LookDownstream,
    Note,
    ScanId,
    SendDownstream,
    SendUpstream,
)
from edge_proxy.relay.facts import ViolationSeen
from edge_proxy.relay.outbox import Outbox
from smtpgated_contracts.values.mail import Envelope

SCAN = ScanId(1)


def test_neighbouring_sends_are_one_write() -> None:
    outbox = Outbox()
    outbox.send_downstream(b"250 a\r\n")
    outbox.send_downstream(b"250 b\r\n")
    assert outbox.take() == [SendDownstream(b"250 a\r\n250 b\r\n")]


def test_sends_merge_past_those_to_the_other_side() -> None:
    outbox = Outbox()
    outbox.send_upstream(b"NOOP\r\n")
    outbox.send_downstream(b"502 x\r\n")
    outbox.send_upstream(b"RSET\r\n")
    outbox.send_downstream(b"502 y\r\n")
    assert outbox.take() == [
        SendUpstream(b"NOOP\r\nRSET\r\n"),
        SendDownstream(b"502 x\r\n502 y\r\n"),
    ]


@pytest.mark.parametrize(
    "action",
    [
        Note(ViolationSeen(upstream=True, what="x")),
        BeginScan(SCAN, frozenset(), ""),
        FinishScan(SCAN, Envelope(), head_only=False),
        AbandonScan(SCAN),
    ],
)
def test_scans_and_notes_do_not_cut_a_write_in_two(action: Action) -> None:
    outbox = Outbox()
    outbox.send_downstream(b"a")
    outbox.ask(action)
    outbox.send_downstream(b"b")
    assert outbox.take() == [action, SendDownstream(b"ab")]


@pytest.mark.parametrize("action", [AbortUpstream("x"), CloseUpstream()])
def test_an_end_of_upstream_stays_behind_what_was_sent_there(action: Action) -> None:
    outbox = _asked_between_sends(action)
    assert outbox.take() == [SendUpstream(b"a"), action, SendUpstream(b"c"), SendDownstream(b"bd")]


@pytest.mark.parametrize("action", [CloseDownstream(), LookDownstream()])
def test_what_happens_downstream_stays_behind_what_was_sent_there(action: Action) -> None:
    outbox = _asked_between_sends(action)
    assert outbox.take() == [
        SendDownstream(b"b"),
        action,
        SendUpstream(b"ac"),
        SendDownstream(b"d"),
    ]


def test_a_tunnel_begins_behind_everything() -> None:
    outbox = _asked_between_sends(BecomeTunnel())
    assert outbox.take()[:3] == [SendUpstream(b"a"), SendDownstream(b"b"), BecomeTunnel()]


def _asked_between_sends(action: Action) -> Outbox:
    outbox = Outbox()
    outbox.send_upstream(b"a")
    outbox.send_downstream(b"b")
    outbox.ask(action)
    outbox.send_upstream(b"c")
    outbox.send_downstream(b"d")
    return outbox


def test_content_is_fed_between_the_actions_about_its_scan() -> None:
    outbox = Outbox()
    begin, finish = BeginScan(SCAN, frozenset(), ""), FinishScan(SCAN, Envelope(), head_only=False)
    outbox.ask(begin)
    outbox.send_upstream(b"x")
    outbox.feed_scan(b"x")
    outbox.ask(finish)
    assert outbox.take() == [begin, FeedScan(b"x"), finish, SendUpstream(b"x")]


def test_no_octets_are_no_action() -> None:
    outbox = Outbox()
    outbox.send_upstream(b"")
    outbox.send_downstream(b"")
    outbox.feed_scan(b"")
    assert outbox.take() == []


def test_a_single_slice_leaves_uncopied() -> None:
    outbox = Outbox()
    octets = b"x" * 1000
    outbox.send_upstream(octets)
    [sent] = outbox.take()
    assert isinstance(sent, SendUpstream)
    assert sent.octets is octets


def test_what_was_taken_is_gone() -> None:
    outbox = Outbox()
    outbox.send_upstream(b"a")
    outbox.ask(CloseUpstream())
    assert outbox.take()
    assert outbox.take() == []
