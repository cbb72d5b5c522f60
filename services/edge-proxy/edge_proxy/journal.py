"""One session's facts on their way out: log lines, counts, outcomes for policy."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

from edge_proxy import metrics, tunnel_account
from edge_proxy.links.tunnel import TunnelRecord
from edge_proxy.metrics import RuleMode, Side
from edge_proxy.ports import OutcomePort
from edge_proxy.relay.facts import (
    CloseCause,
    Fact,
    LockAsked,
    RuleFired,
    SessionRecord,
    TransactionEnded,
    ViolationSeen,
)
from edge_proxy.subjects import counted_as
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

_LOG: Final = logging.getLogger("edge_proxy")


class Journal:
    __slots__ = (
        "_awaited_at_s",
        "_clock",
        "_octets_down",
        "_octets_up",
        "_opened_at_s",
        "_outcomes",
        "_rulebook_version",
        "_session",
        "opened_at_ms",
    )

    def __init__(
        self, session: SessionRef, rulebook_version: int, clock: Clock, outcomes: OutcomePort
    ) -> None:
        self._session = session
        self._rulebook_version = rulebook_version
        self._clock = clock
        self._outcomes = outcomes
        self._opened_at_s = clock.monotonic_s()
        self._awaited_at_s = 0.0
        self._octets_up = 0
        self._octets_down = 0
        self.opened_at_ms = clock.unix_ms()

    def count_octets(self, count: int, *, downstream: bool) -> None:
        """Octets received from the client (``downstream``) or from the server."""
        if downstream:
            self._octets_up += count
        else:
            self._octets_down += count

    def identified(self, session: SessionRef) -> None:
        """From here on every line and report names who the source is."""
        self._session = session

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
        session = self._session
        event(
            _LOG,
            logging.INFO,
            "session",
            session=session.session_id,
            source=str(session.source),
            destination=str(session.original_destination),
            identity=session.identity,
            closed_by=by,
            detail=record.detail,
            helo=record.helo,
            transactions=record.transactions,
            recipients=record.recipients,
            mail_rejected=record.mail_rejected,
            rcpt_rejected=record.rcpt_rejected,
            auth_accepted=record.auth_accepted,
            auth_rejected=record.auth_rejected,
            tunnelled=record.tunnelled,
            octets_up=self._octets_up,
            octets_down=self._octets_down,
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
        verdict = fact.verdict
        event(
            _LOG,
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
            sender=fact.envelope.reverse_path,
            recipients=list(fact.envelope.recipients[:10]),
            recipient_count=len(fact.envelope.recipients),
            octets=fact.content_octets,
        )

    def _rule_fired(self, fact: RuleFired) -> None:
        metrics.RULES(RuleMode.SHADOW if fact.shadow else RuleMode.ENFORCED).inc()
        event(
            _LOG,
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

    def _lock(self, cause: str, seconds: int, now_ms: int) -> Lock:
        subject = counted_as(self._session.source.address)
        return Lock(subject, cause, now_ms + seconds * 1000, now_ms, "rulebook")

    def _violation_seen(self, fact: ViolationSeen) -> None:
        metrics.VIOLATIONS(Side.UPSTREAM if fact.upstream else Side.DOWNSTREAM).inc()
        event(
            _LOG,
            logging.WARNING,
            "protocol violation",
            session=self._session.session_id,
            source=str(self._session.source),
            by="upstream" if fact.upstream else "downstream",
            what=fact.what,
        )

    NOTE: ClassVar[Mapping[type[Fact], Callable[["Journal", Any], None]]] = {
        TransactionEnded: _transaction_ended,
        RuleFired: _rule_fired,
        LockAsked: _lock_asked,
        ViolationSeen: _violation_seen,
    }
