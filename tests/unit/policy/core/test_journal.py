"""What is kept of an outcome."""

from dataclasses import replace

from policy.core.journal import MOST_CHARACTERS, MOST_RECIPIENTS, entry_of, totals_of
from smtpgated_contracts.values.mail import Envelope
from smtpgated_contracts.values.policy import Disposition
from smtpgated_contracts.values.scan import VerdictKind
from tests.contract.policy.samples import outcome


def test_a_strangers_octets_become_plain_text() -> None:
    envelope = Envelope(b"me\r\n\x00\x1b[2J", "żółw@example".encode(), (b"\xff@example",))
    entry = entry_of(replace(outcome(), envelope=envelope))
    assert entry.helo == "me\\x0d\\x0a\\x00\\x1b[2J"
    assert entry.reverse_path == "żółw@example"
    assert entry.recipients == ("\\xff@example",)


def test_long_and_many_are_cut_and_the_count_is_kept() -> None:
    envelope = Envelope(b"h" * 5000, b"", (b"to@example",) * 500)
    entry = entry_of(replace(outcome(), envelope=envelope))
    assert len(entry.helo) == MOST_CHARACTERS
    assert (len(entry.recipients), entry.recipient_count) == (MOST_RECIPIENTS, 500)


def test_without_a_scan_the_verdict_is_none() -> None:
    entry = entry_of(replace(outcome(), verdict=None))
    assert (entry.verdict, entry.findings, entry.score) == ("none", (), 0.0)


def test_totals_count_messages_octets_verdicts_and_dispositions() -> None:
    entries = [
        entry_of(outcome()),
        entry_of(outcome(VerdictKind.INFECTED, Disposition.REFUSE)),
        entry_of(outcome(VerdictKind.INFECTED, Disposition.DEFER)),
    ]
    assert totals_of(entries) == {
        "messages": 3,
        "content_octets": 3 * 4096,
        "verdict:clean": 1,
        "verdict:infected": 2,
        "disposition:release": 1,
        "disposition:refuse": 1,
        "disposition:defer": 1,
    }
