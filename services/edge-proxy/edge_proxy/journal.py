"""One session's facts on their way out: log lines, counts, outcomes for policy, events.

Counts and outcomes are noted at once. Lines are written when the loop has come round, behind
what the same input sent: a client does not wait for a log.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from edge_proxy import metrics, tunnel_account
from edge_proxy.address_privacy import AddressPrivacy, Wording
from edge_proxy.events.of_session import EventsOfSession
from edge_proxy.events.port import EventPort
from edge_proxy.links.tunnel import TunnelRecord
from edge_proxy.metrics import RuleMode, Side
from edge_proxy.ports import OutcomePort
from edge_proxy.relay.facts import (
    CloseCause,
    Fact,
    LockAsked,
    RefusedAddress,
    RuleFired,
    SessionRecord,
    TransactionEnded,
    ViolationSeen,
)
from edge_proxy.smtp.verbs import Verb
from edge_proxy.subjects import locked_as
from service_kit.clock import Clock
from service_kit.logs import event
from smtpgated_contracts.values.mail import SessionRef
from smtpgated_contracts.values.policy import (
    AskedLock,
    Disposition,
    Lock,
    TransactionOutcome,
)
from smtpgated_contracts.values.scan import Verdict

MOST_RECIPIENTS_SAID: Final = 10
_LOG: Final = logging.getLogger("edge_proxy")


@dataclass(frozen=True, slots=True)
class Reporting:
    """What the journals of a worker share. ``sessions`` counts those of a session's source."""

    clock: Clock
    outcomes: OutcomePort
    events: EventPort
    privacy: AddressPrivacy
    sessions: Callable[[SessionRef], int]


class Journal:
    __slots__ = (
        "_awaited_at_s",
        "_clock",
        "_events",
        "_opened_at_s",
        "_outcomes",
        "_privacy",
        "_rulebook_version",
        "_session",
        "octets_down",
        "octets_up",
        "opened_at_ms",
    )

    def __init__(
        self,
        reporting: Reporting,
        session: SessionRef,
        rulebook_version: int,
        record: SessionRecord,
    ) -> None:
        self._session = session
        self._rulebook_version = rulebook_version
        self._clock = clock = reporting.clock
        self._outcomes = reporting.outcomes
        self._privacy = reporting.privacy
        self._opened_at_s = clock.monotonic_s()
        self._awaited_at_s = 0.0
        self.octets_up = 0
        self.octets_down = 0
        self.opened_at_ms = clock.unix_ms()
        self._events = EventsOfSession(
            reporting.events,
            reporting.privacy,
            session,
            record,
            reporting.sessions,
            self.opened_at_ms,
        )

    def count_octets(self, count: int, *, downstream: bool) -> None:
        """Octets received from the client (``downstream``) or from the server."""
        if downstream:
            self.octets_up += count
        else:
            self.octets_down += count

    def identified(self, session: SessionRef) -> None:
        """From here on every line and report names who the source is."""
        self._session = self._events.session = session

    def verdict_awaited(self) -> None:
        self._awaited_at_s = self._clock.monotonic_s()

    def verdict_came(self, verdict: Verdict) -> None:
        metrics.VERDICTS(verdict.kind).inc()
        if self._awaited_at_s:
            metrics.VERDICT_WAIT().observe(self._clock.monotonic_s() - self._awaited_at_s)
            self._awaited_at_s = 0.0

    def note(self, fact: Fact) -> None:
        self.NOTE[type(fact)](self, fact)

    def session_ended(self, record: SessionRecord, tunnel: TunnelRecord | None = None) -> None:
        """The line a session leaves."""
        by = record.closed_by or CloseCause.CLIENT
        metrics.SESSIONS(by).inc()
        if tunnel is not None:
            tunnel_account.count(tunnel, by)
        self._events.session_ended()
        session = self._session
        _say(
            logging.INFO,
            "session",
            session=session.session_id,
            source=str(session.source),
            destination=str(session.original_destination),
            identity=session.identity,
            closed_by=by,
            detail=record.detail,
            helo=self._privacy.helo.of(record.helo, refused=record.helo_refused),
            transactions=record.transactions,
            recipients=record.recipients,
            mail_rejected=record.mail_rejected,
            rcpt_rejected=record.rcpt_rejected,
            refused=self._refused(record.take_refused()),
            auth_accepted=record.auth_accepted,
            auth_rejected=record.auth_rejected,
            tunnelled=record.tunnelled,
            octets_up=self.octets_up,
            octets_down=self.octets_down,
            **tunnel_account.facts(tunnel),
            spent_s=round(self._clock.monotonic_s() - self._opened_at_s, 3),
        )

    def _transaction_ended(self, fact: TransactionEnded) -> None:
        metrics.TRANSACTIONS(fact.disposition).inc()
        now_ms = self._clock.unix_ms()
        outcome = TransactionOutcome(
            session=self._session,
            transaction=fact.transaction,
            envelope=fact.envelope,
            verdict=fact.verdict,
            disposition=fact.disposition,
            reply_code=fact.reply_code,
            content_octets=fact.content_octets,
            rule_id=fact.rule_id,
            rulebook_version=self._rulebook_version,
            ended_at_ms=now_ms,
            locks=tuple(self._lock(cause, seconds, now_ms) for cause, seconds in fact.locks),
        )
        self._outcomes.report(outcome)
        self._events.transaction_ended(fact)
        verdict, recipients = fact.verdict, fact.envelope.recipients
        _say(
            logging.INFO if fact.disposition is Disposition.RELEASE else logging.WARNING,
            "transaction",
            session=self._session.session_id,
            transaction=fact.transaction,
            source=str(self._session.source),
            destination=str(self._session.original_destination),
            identity=self._session.identity,
            disposition=fact.disposition,
            reply=fact.reply_code,
            verdict=verdict.kind if verdict else None,
            found=list(verdict.names) if verdict else [],
            missing=[str(each.reason) for each in verdict.missing] if verdict else [],
            score=round(verdict.score, 2) if verdict else 0.0,
            rule=fact.rule_id,
            sender=self._privacy.mail_from.of(fact.envelope.reverse_path),
            recipients=_known(map(self._privacy.rcpt_to.of, recipients[:MOST_RECIPIENTS_SAID])),
            recipient_count=len(recipients),
            refused=self._refused(fact.refused),
            octets=fact.content_octets,
        )

    def _rule_fired(self, fact: RuleFired) -> None:
        metrics.RULES(RuleMode.SHADOW if fact.shadow else RuleMode.ENFORCED).inc()
        self._events.rule_fired(fact)
        _say(
            logging.INFO,
            "rule fired",
            session=self._session.session_id,
            rule=fact.rule_id,
            phase=fact.phase,
            shadow=fact.shadow,
        )

    def _lock_asked(self, fact: LockAsked) -> None:
        lock = self._lock(fact.rule_id, fact.seconds, self._clock.unix_ms())
        self._outcomes.report(AskedLock(self._session, lock))
        self._events.lock_asked(fact)

    def _lock(self, cause: str, seconds: int, now_ms: int) -> Lock:
        return Lock(locked_as(self._session), cause, now_ms + seconds * 1000, now_ms, "rulebook")

    def _violation_seen(self, fact: ViolationSeen) -> None:
        metrics.VIOLATIONS(Side.UPSTREAM if fact.upstream else Side.DOWNSTREAM).inc()
        self._events.violation_seen(fact)
        _say(
            logging.WARNING,
            "protocol violation",
            session=self._session.session_id,
            source=str(self._session.source),
            by="upstream" if fact.upstream else "downstream",
            what=fact.what,
        )

    def _refused(self, addresses: Sequence[RefusedAddress]) -> list[Mapping[str, object]]:
        """Verb, code and address of each that may be said; code 0: a rule of ours."""
        wordings: Mapping[Verb, Wording] = {
            Verb.MAIL: self._privacy.mail_from,
            Verb.RCPT: self._privacy.rcpt_to,
        }
        return [
            {"verb": each.verb, "code": each.code, "address": said}
            for each in addresses
            if (said := wordings[each.verb].of(each.address, refused=True)) is not None
        ]

    NOTE: ClassVar[Mapping[type[Fact], Callable[["Journal", Any], None]]] = {
        TransactionEnded: _transaction_ended,
        RuleFired: _rule_fired,
        LockAsked: _lock_asked,
        ViolationSeen: _violation_seen,
    }


def _say(level: int, name: str, /, **fields: object) -> None:
    asyncio.get_running_loop().call_soon(lambda: event(_LOG, level, name, exc_info=None, **fields))


def _known(said: Iterable[bytes | None]) -> list[bytes]:
    return [each for each in said if each is not None]
