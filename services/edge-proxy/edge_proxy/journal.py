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
from edge_proxy.metrics import Penance, RuleMode, Side
from edge_proxy.ports import Hold, OutcomePort
from edge_proxy.rejections import RejectionCount
from edge_proxy.relay.facts import (
    CloseCause,
    Denied,
    Fact,
    RefusedAddress,
    Rejected,
    RulesSpoke,
    SanctionAsked,
    SessionRecord,
    TransactionEnded,
    ViolationSeen,
)
from edge_proxy.relay.phases import Phase
from edge_proxy.smtp.verbs import Verb
from edge_proxy.tunnel_meter import Carrying, TunnelMeter
from rulebook.bearers import borne_by
from rulebook.values import Rulebook, Sanction
from service_kit.clock import Clock
from service_kit.logs import event
from smtpgated_contracts.values.mail import SessionRef
from smtpgated_contracts.values.policy import (
    AskedLock,
    AskedPenalty,
    Disposition,
    Lock,
    Penalty,
    TransactionOutcome,
)
from smtpgated_contracts.values.reported import RulingReport
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
        "_meter",
        "_opened_at_s",
        "_outcomes",
        "_privacy",
        "_rejections",
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
        rulebook: Rulebook,
        rulebook_version: int,
        record: SessionRecord,
    ) -> None:
        self._session = session
        self._rulebook_version = rulebook_version
        self._clock = clock = reporting.clock
        self._outcomes = reporting.outcomes
        self._privacy = reporting.privacy
        self._rejections = RejectionCount(reporting.outcomes)
        self._meter: TunnelMeter | None = None
        self._opened_at_s = clock.monotonic_s()
        self._awaited_at_s = 0.0
        self.octets_up = 0
        self.octets_down = 0
        self.opened_at_ms = clock.unix_ms()
        self._events = EventsOfSession(
            reporting.events,
            reporting.privacy,
            session,
            rulebook,
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

    def held(self, hold: Hold) -> None:
        """A lock on the session came to a stage."""
        metrics.HELD(hold.stage).inc()
        _say(
            logging.INFO,
            "held",
            session=self._session.session_id,
            subject=hold.lock.subject,
            cause=hold.lock.cause,
            stage=hold.stage,
        )

    def broke(self, phase: Phase, bug: Exception) -> None:
        """A bug of ours ends the session."""
        metrics.ERRORS().inc()
        session = self._session.session_id
        event(_LOG, logging.CRITICAL, "session error", session=session, phase=phase, exc_info=bug)

    def verdict_awaited(self) -> None:
        self._awaited_at_s = self._clock.monotonic_s()

    def verdict_came(self, verdict: Verdict) -> None:
        metrics.VERDICTS(verdict.kind).inc()
        if self._awaited_at_s:
            metrics.VERDICT_WAIT().observe(self._clock.monotonic_s() - self._awaited_at_s)
            self._awaited_at_s = 0.0

    def note(self, fact: Fact) -> None:
        self.NOTE[type(fact)](self, fact)

    def tunnel_began(self, tunnel: Carrying, auth_user: bytes, profiles: tuple[str, ...]) -> None:
        """From now on policy is told what it carries."""
        self._meter = TunnelMeter(
            self._outcomes, lambda: self._session, tunnel, auth_user, profiles
        )

    def session_ended(self, record: SessionRecord, tunnel: TunnelRecord | None = None) -> None:
        """The line a session leaves."""
        self._rejections.tell()
        if self._meter is not None:
            self._meter.stop()
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
            auth_user=self._privacy.mail_from.of(record.auth_user),
            tunnelled=record.tunnelled,
            octets_up=self.octets_up,
            octets_down=self.octets_down,
            **tunnel_account.facts(tunnel),
            spent_s=round(self._clock.monotonic_s() - self._opened_at_s, 3),
        )

    def _transaction_ended(self, fact: TransactionEnded) -> None:
        metrics.TRANSACTIONS(fact.disposition).inc()
        self._rejections.tell()  # whoever asks next is judged by all that was before
        now_ms = self._clock.unix_ms()
        locks, penalties = self._sought(fact.sanctions, fact.envelope.auth_user, now_ms)
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
            locks=locks,
            penalties=penalties,
            spent=fact.spent,
            profiles=fact.profiles,
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

    def _rules_spoke(self, fact: RulesSpoke) -> None:
        ruling, session = fact.ruling, self._session
        fired = (*((ruling.rule_id,) if ruling.rule_id else ()), *ruling.noted)
        for rule_id, mode in (
            *((each, RuleMode.ENFORCED) for each in fired),
            *((each, RuleMode.SHADOW) for each in ruling.shadows),
        ):
            metrics.RULES(mode).inc()
            _say(
                logging.INFO,
                "rule fired",
                session=session.session_id,
                rule=rule_id,
                phase=fact.phase,
                shadow=mode is RuleMode.SHADOW,
            )
        for rule_id in fired:
            self._events.rule_fired(rule_id, fact.phase)
        for rule_id in ruling.cut:
            metrics.PATTERNS_CUT().inc()
            _say(logging.WARNING, "pattern cut", session=session.session_id, rule=rule_id)
        if fired or ruling.shadows:
            self._outcomes.report(self._report_of(fact))

    def _report_of(self, fact: RulesSpoke) -> RulingReport:
        ruling = fact.ruling
        return RulingReport(
            session=self._session,
            transaction=fact.transaction,
            phase=fact.phase.value,
            action=ruling.action.value if ruling.action else "",
            rule_id=ruling.rule_id,
            noted=ruling.noted,
            shadows=ruling.shadows,
            rulebook_version=self._rulebook_version,
            reply_code=fact.reply_code,
            at_ms=self._clock.unix_ms(),
            facts=fact.facts,
        )

    def _sanction_asked(self, fact: SanctionAsked) -> None:
        now_ms = self._clock.unix_ms()
        locks, penalties = self._sought((fact.sanction,), fact.auth_user, now_ms)
        for lock in locks:
            self._outcomes.report(AskedLock(self._session, lock))
            self._events.lock_asked(fact.sanction)
        for penalty in penalties:
            self._outcomes.report(AskedPenalty(self._session, penalty))

    def _sought(
        self, sanctions: Iterable[Sanction], auth_user: bytes, now_ms: int
    ) -> tuple[tuple[Lock, ...], tuple[Penalty, ...]]:
        """Locks and penalties on the subjects that bear them, where the session has such."""
        locks, penalties = [], []
        for each in sanctions:
            subject = borne_by(each.on, self._session, auth_user)
            if not subject:
                continue
            if each.lock_s:
                metrics.SANCTIONS(Penance.LOCK).inc()
                until_ms = now_ms + each.lock_s * 1000
                locks.append(Lock(subject, each.cause, until_ms, now_ms, "rulebook"))
            if each.points:
                metrics.SANCTIONS(Penance.POINTS).inc()
                penalties.append(Penalty(subject, each.points, each.cause))
        return tuple(locks), tuple(penalties)

    def _denied(self, fact: Denied) -> None:
        metrics.DENIED(fact.verb).inc()
        self._events.denied(fact.cause)
        _say(
            logging.WARNING,
            "denied",
            session=self._session.session_id,
            source=str(self._session.source),
            verb=fact.verb,
            cause=fact.cause,
            reply=fact.reply_code,
            decision=fact.decision_id,
        )

    def _rejected(self, fact: Rejected) -> None:
        metrics.REJECTIONS(fact.verb).inc()
        self._rejections.count(self._session, fact)

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
        RulesSpoke: _rules_spoke,
        SanctionAsked: _sanction_asked,
        Denied: _denied,
        Rejected: _rejected,
        ViolationSeen: _violation_seen,
    }


def _say(level: int, name: str, /, **fields: object) -> None:
    asyncio.get_running_loop().call_soon(lambda: event(_LOG, level, name, exc_info=None, **fields))


def _known(said: Iterable[bytes | None]) -> list[bytes]:
    return [each for each in said if each is not None]
