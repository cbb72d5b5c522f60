"""From the facts of one session to the occurrences a script is told."""

from collections.abc import Callable

from edge_proxy.address_privacy import AddressPrivacy, Wording
from edge_proxy.events.names import OF_VERDICT, OF_VIOLATION, EventName, of_decision, of_rule
from edge_proxy.events.occurrence import Occurrence
from edge_proxy.events.port import EventPort
from edge_proxy.relay.facts import (
    CloseCause,
    SessionRecord,
    TransactionEnded,
    ViolationSeen,
)
from rulebook.values import Phase, Rulebook, Sanction
from smtpgated_contracts.values.mail import SessionRef
from smtpgated_contracts.values.policy import Disposition

_JUDGED = frozenset({Disposition.REFUSE, Disposition.DEFER})


class EventsOfSession:
    """Costs nothing but a look-up for events that nobody wants to be told.

    ``record`` is the session's own and grows with it; ``sessions`` counts those of its source.
    ``session`` is replaced when it becomes known who the source is.
    """

    __slots__ = ("_began_at_s", "_port", "_privacy", "_record", "_rulebook", "_sessions", "session")

    def __init__(
        self,
        port: EventPort,
        privacy: AddressPrivacy,
        session: SessionRef,
        rulebook: Rulebook,
        record: SessionRecord,
        sessions: Callable[[SessionRef], int],
        began_at_ms: int,
    ) -> None:
        self._port = port
        self._privacy = privacy
        self.session = session
        self._rulebook = rulebook
        self._record = record
        self._sessions = sessions
        self._began_at_s = began_at_ms // 1000

    def transaction_ended(self, fact: TransactionEnded) -> None:
        verdict = fact.verdict
        lock_s = max((each.lock_s for each in fact.sanctions), default=0)
        if verdict is not None and verdict.kind in OF_VERDICT and fact.disposition in _JUDGED:
            self._tell_of_message(OF_VERDICT[verdict.kind], fact, lock_s, fact.rule_id)
        for each in fact.sanctions:
            if each.lock_s:
                self._tell_of_message(EventName.LOCK, fact, each.lock_s, each.cause)

    def rule_fired(self, rule_id: str, phase: Phase) -> None:
        self._tell(of_rule(rule_id, phase, self._rulebook), rule_id=rule_id)

    def lock_asked(self, sanction: Sanction) -> None:
        self._tell(EventName.LOCK, rule_id=sanction.cause, lock_s=sanction.lock_s)

    def denied(self, cause: str) -> None:
        """MAIL, RCPT or content, by a limit."""
        name = of_decision(cause, self._rulebook)
        if name is not None:
            self._tell(name, rule_id=cause.partition(":")[2])

    def violation_seen(self, fact: ViolationSeen) -> None:
        name = OF_VIOLATION.get(fact.what)
        if name is not None and not fact.upstream:
            self._tell(name)

    def session_ended(self) -> None:
        if self._record.closed_by is CloseCause.POLICY:
            name = of_decision(self._record.detail, self._rulebook)
            if name is not None:
                self._tell(name)

    def _tell_of_message(
        self, name: EventName, fact: TransactionEnded, lock_s: int, rule_id: str
    ) -> None:
        verdict = fact.verdict
        self._tell(
            name,
            mail_from=fact.envelope.reverse_path,
            virus=next(iter(verdict.names), "") if verdict and name is EventName.VIRUS else "",
            score=verdict.score if verdict else 0.0,
            size_octets=fact.content_octets,
            transaction=fact.transaction,
            lock_s=lock_s,
            rule_id=rule_id,
            disposition=fact.disposition.value,
            reply_code=fact.reply_code,
        )

    def _tell(
        self,
        name: EventName,
        *,
        mail_from: bytes | None = None,
        virus: str = "",
        score: float = 0.0,
        size_octets: int = 0,
        transaction: int = 0,
        lock_s: int = 0,
        rule_id: str = "",
        disposition: str = "",
        reply_code: int = 0,
    ) -> None:
        if not self._port.wants(name):
            return
        record = self._record
        sender = record.reverse_path if mail_from is None else mail_from
        self._port.tell(
            Occurrence(
                name,
                self.session,
                self._began_at_s,
                helo=_worded(self._privacy.helo, record.helo),
                mail_from=_worded(self._privacy.mail_from, sender),
                virus=virus,
                score=score,
                sessions=self._sessions(self.session),
                recipients=record.recipients,
                size_octets=size_octets,
                transaction=transaction,
                auth=_auth_bitmap(record),
                lock_s=lock_s,
                rule_id=rule_id,
                disposition=disposition,
                reply_code=reply_code,
            )
        )


def _worded(wording: Wording, address: bytes) -> bytes:
    """Hashed where the log hashes. What the log leaves out is still said here, as it always was:
    a script acts on one event, a log is kept."""
    return wording.form(address)


def _auth_bitmap(record: SessionRecord) -> int:
    offered = b"AUTH" in record.offered
    return offered + 2 * (record.auth_accepted > 0) + 4 * (record.auth_rejected > 0)
