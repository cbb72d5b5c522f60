"""Each row of docs/failure-stances.md that the core alone can show, by its transcript.

The transcripts say it octet by octet and can be rewritten in one go; what a row promises stands
here once more, so that it cannot be rewritten by accident.
"""

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.transcript import read
from tests.support.transcript_core import played

TRANSCRIPTS = Path(__file__).parents[3] / "transcripts"


class Outcome(NamedTuple):
    """``told``: the replies to the client; ``sent``: what went upstream; then how it ended."""

    told: list[str]
    sent: bytes
    aborted: bool
    closed: bool


def outcome(name: str) -> Outcome:
    steps = played(read(TRANSCRIPTS / f"{name}.smtp")).steps
    lines = [line for step in steps for line in step.outputs]
    told = b"".join(step.sent("D") for step in steps).decode().splitlines()
    sent = b"".join(step.sent("U") for step in steps)
    aborted = any(line.startswith("U< (abort") for line in lines)
    return Outcome(told, sent, aborted, "D< (close)" in lines)


def released(sent: bytes) -> bool:
    """Whether the end of content went upstream."""
    return b"\r\n.\r\n" in b"\r\n" + sent


def test_original_destination_silent() -> None:
    row = outcome("server/silent_in_greeting")
    assert row.told == ["421 4.4.1 Cannot connect to the server, try again later"]
    assert (row.sent, row.aborted, row.closed) == (b"", True, True)


@pytest.mark.parametrize("loss", ["refused", "timeout", "unreachable"])
def test_original_destination_away(loss: str) -> None:
    row = outcome(f"lost/server_cannot_be_reached_{loss}")
    assert row.told[0].startswith("421 4.4.1 ")
    assert row.closed


def test_policy_refuses_the_session() -> None:
    row = outcome("rules/policy_refuses")
    assert row.told[0].startswith("554 5.7.1 ")
    assert (row.sent, row.closed) == (b"", True)


def test_policy_absent_closed() -> None:
    """The client of policy turns its absence into a decision: under stance closed, to defer."""
    row = outcome("rules/policy_defers")
    assert row.told[0].startswith("421 4.7.0 ")
    assert (row.sent, row.closed) == (b"", True)


def test_policy_absent_longer_than_we_wait() -> None:
    row = outcome("rules/policy_silent")
    assert row.told[0].startswith("421 4.3.2 ")
    assert (row.sent, row.closed) == (b"", True)


def test_mail_refused() -> None:
    row = outcome("rules/mail_refused")
    assert row.told[0].startswith("550 5.7.1 ")
    assert b"MAIL" not in row.sent
    assert not row.closed


def test_mail_deferred() -> None:
    row = outcome("rules/mail_deferred")
    assert row.told == ["451 4.7.1 Come back later"]
    assert (row.sent, row.closed) == (b"", False)


@pytest.mark.parametrize(
    "name", ["infected_after_data", "infected_with_a_group_behind", "verdict_before_the_end"]
)
def test_infected_after_data(name: str) -> None:
    row = outcome(f"content/{name}")
    assert row.told[0].startswith("550 5.7.1 ")
    assert row.aborted
    assert not released(row.sent)


def test_unscanned_closed() -> None:
    row = outcome("content/unscanned_closed")
    assert row.told[0].startswith("451 4.7.1 ")
    assert (row.sent, row.aborted) == (b"", True)


def test_unscanned_open() -> None:
    row = outcome("content/unscanned_open")
    assert row.told == ["250 2.0.0 queued"]
    assert (row.sent, row.aborted) == (b".\r\n", False)


def test_no_verdict_in_time() -> None:
    row = outcome("content/no_verdict_in_time")
    assert row.told[0].startswith("451 4.7.1 ")
    assert (row.sent, row.aborted) == (b"", True)


def test_content_too_large_to_scan_refused() -> None:
    row = outcome("content/oversize_refuse")
    assert row.told == ["552 5.3.4 Message too large to be checked"]
    assert row.sent == b"12345\r\n67890\r\nmore\r\n"
    assert row.aborted


@pytest.mark.parametrize("name", ["oversize_release", "oversize_head"])
def test_content_too_large_to_scan_released(name: str) -> None:
    row = outcome(f"content/{name}")
    assert row.told == ["250 queued"]
    assert released(row.sent)


SMUGGLING = sorted(
    path.stem
    for path in (TRANSCRIPTS / "smuggling").glob("*.smtp")
    if path.stem != "bare_lf_without_a_dot"
)


@pytest.mark.parametrize("name", SMUGGLING)
def test_ambiguous_content(name: str) -> None:
    row = outcome(f"smuggling/{name}")
    assert row.told == ["521 5.5.2 Ambiguous content: CR or LF alone, or NUL"]
    assert not released(row.sent)
    assert row.aborted
    assert row.closed


def test_upstream_lost_in_content() -> None:
    row = outcome("lost/server_in_content")
    assert row.told[0].startswith("451 4.4.2 ")
    assert row.told[1:3] == ["250 2.0.0 Ok", "421 4.3.0 Connection to the server was given up"]
    assert row.sent == b"text\r\n"


def test_upstream_lost_at_the_held_end() -> None:
    row = outcome("lost/server_at_the_held_end")
    assert row.told[0].startswith("451 4.4.2 ")
    assert row.sent == b""


@pytest.mark.parametrize("where", ["command", "content", "takeover", "the_tunnel"])
def test_downstream_lost(where: str) -> None:
    row = outcome(f"lost/client_in_{where}")
    assert row.aborted
    assert row.closed
    assert not released(row.sent)


def test_downstream_lost_at_the_held_end() -> None:
    row = outcome("lost/client_at_the_held_end")
    assert row == Outcome([], b"", aborted=True, closed=True)


def test_drain_deadline() -> None:
    row = outcome("drain/deadline_at_the_held_end")
    assert row.told == ["451 4.3.2 Service is shutting down, try again"]
    assert (row.sent, row.aborted, row.closed) == (b"", True, True)


END_OF_CHUNKS = b"BDAT 0 LAST\r\n"


@pytest.mark.parametrize("name", ["infected", "data_as_chunks_infected"])
def test_infected_after_bdat(name: str) -> None:
    row = outcome(f"bdat/{name}")
    assert [line[:9] for line in row.told if line.startswith("5")] == ["550 5.7.1"]
    assert b"RSET\r\n" in row.sent
    assert END_OF_CHUNKS not in row.sent
    assert b"MAIL FROM:<next@src.example>\r\n" in row.sent, "the upstream session survives"
    assert not row.aborted


@pytest.mark.parametrize("name", ["unscanned_closed", "no_verdict_in_time", "locked_meanwhile"])
def test_deferred_after_bdat(name: str) -> None:
    row = outcome(f"bdat/{name}")
    assert row.told[0].startswith("451 4.7.1 ")
    assert row.sent.startswith(b"RSET\r\n")
    assert not row.aborted


@pytest.mark.parametrize(
    "name",
    [
        "server_refuses_a_chunk",
        "server_refuses_the_last_chunk",
        "server_refuses_before_the_octets",
        "data_as_chunks_refused",
        "verdict_then_refusal",
        "server_lost_in_a_chunk",
        "server_lost_behind_the_last_chunk",
        "server_lost_at_the_held_end",
        "client_lost_in_a_chunk",
        "client_silent_in_a_chunk",
        "drain_deadline_in_a_chunk",
        "quit_between_chunks",
        "reset_refused",
    ],
)
def test_a_message_that_lost_a_chunk_or_a_peer_is_never_ended(name: str) -> None:
    assert END_OF_CHUNKS not in outcome(f"bdat/{name}").sent


@pytest.mark.parametrize("where", ["lying", "end_in_the_same_slice"])
def test_message_above_our_own_limit(where: str) -> None:
    row = outcome(f"size/{where}")
    assert row.told[0] == "552 5.3.4 Message larger than allowed here"
    assert row.aborted
    assert not released(row.sent)


def test_chunk_above_our_own_limit() -> None:
    row = outcome("size/chunk_too_large")
    assert row.told[1] == "552 5.3.4 Message larger than allowed here"
    assert b"abc" not in row.sent
    assert not row.aborted


@pytest.mark.parametrize("name", ["not_offered", "refused", "no_esmtp"])
def test_server_takes_no_xclient(name: str) -> None:
    row = outcome(f"xclient/{name}")
    assert row.told == ["421 4.3.0 Service not available, try again later"]
    assert (row.aborted, row.closed) == (True, True)


def test_client_speaks_before_the_greeting() -> None:
    row = outcome("hostile/early_talker")
    assert row.told == ["554 5.5.1 The greeting comes first"]
    assert (row.sent, row.closed) == (b"", True)
