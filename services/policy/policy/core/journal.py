"""What is kept of a transaction's outcome for people to look at: flat, bounded, text only."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from smtpgated_contracts.values.policy import TransactionOutcome
from smtpgated_contracts.values.scan import Verdict

MOST_RECIPIENTS: Final = 20
"""Recipients kept of one message; ``recipient_count`` says how many there were."""

MOST_EXPLAINED: Final = 20
"""Findings told of one message, and as many reasons why there are none."""

MOST_CHARACTERS: Final = 320
"""Kept of any one text: RFC 5321 §4.5.3.1 allows a path 256 octets."""

EDGE_MEMORY_MS: Final = 24 * 3600 * 1000
"""How long an edge that says nothing is remembered."""


@dataclass(frozen=True, slots=True)
class OutcomeEntry:
    """One line of the journal. ``ended_at_ms`` is Unix milliseconds."""

    ended_at_ms: int
    session_id: str
    transaction: int
    edge_id: str
    source: str
    identity: str
    destination: str
    helo: str
    reverse_path: str
    recipients: tuple[str, ...]
    recipient_count: int
    authenticated: bool
    verdict: str
    findings: tuple[str, ...]
    score: float
    disposition: str
    reply_code: int
    content_octets: int
    rule_id: str
    rulebook_version: int
    explained: tuple[str, ...] = ()


def entry_of(outcome: TransactionOutcome) -> OutcomeEntry:
    """``verdict`` is "none" when it never came to a scan."""
    session, envelope, verdict = outcome.session, outcome.envelope, outcome.verdict
    return OutcomeEntry(
        ended_at_ms=outcome.ended_at_ms,
        session_id=session.session_id,
        transaction=outcome.transaction,
        edge_id=session.edge_id,
        source=str(session.source),
        identity=session.identity,
        destination=str(session.original_destination),
        helo=_text(envelope.helo),
        reverse_path=_text(envelope.reverse_path),
        recipients=tuple(_text(each) for each in envelope.recipients[:MOST_RECIPIENTS]),
        recipient_count=len(envelope.recipients),
        authenticated=envelope.authenticated,
        verdict=verdict.kind.value if verdict else "none",
        findings=tuple(name[:MOST_CHARACTERS] for name in verdict.names) if verdict else (),
        score=verdict.score if verdict else 0.0,
        disposition=outcome.disposition.value,
        reply_code=outcome.reply_code,
        content_octets=outcome.content_octets,
        rule_id=outcome.rule_id,
        rulebook_version=outcome.rulebook_version,
        explained=tuple(_explained(verdict)) if verdict else (),
    )


def _explained(verdict: Verdict) -> Iterator[str]:
    """Who said what, of which version, in what time; and who did not."""
    for finding in verdict.findings[:MOST_EXPLAINED]:
        yield _text(finding.in_words.encode())
    for missing in verdict.missing[:MOST_EXPLAINED]:
        yield _text(f"no {missing.engine_class}: {missing.reason}".encode())


def totals_of(entries: Iterable[OutcomeEntry]) -> Counter[str]:
    """What the farm's totals grow by: ``verdict:…``, ``disposition:…``, messages and octets."""
    totals: Counter[str] = Counter()
    for entry in entries:
        totals["messages"] += 1
        totals["content_octets"] += entry.content_octets
        totals[f"verdict:{entry.verdict}"] += 1
        totals[f"disposition:{entry.disposition}"] += 1
    return totals


def _text(octets: bytes) -> str:
    """Octets of a stranger as text that cannot be mistaken for markup of ours."""
    text = octets[:MOST_CHARACTERS].decode("utf-8", "backslashreplace")
    return "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in text)
