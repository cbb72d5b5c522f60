"""Which rates a question or a report touches, what it costs them, and what that decides.

``Costs`` say what an occasion costs each kind of count; kinds that are not named are not touched,
a cost of 0 asks whether the window is full. An exempt source meets the rates in total and per
destination alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from policy.core.overrides import NO_OWN_LIMITS, UNLIMITED
from policy.core.rates import Count, Measured, Spend, Spent
from rulebook.bearers import auth_subject, counted_as
from rulebook.rates import Counted, Per, Rate
from rulebook.rules import Action, Mode
from rulebook.values import Rulebook
from smtpgated_contracts.values.asked import DataAsked, MailAsked, SessionAsked
from smtpgated_contracts.values.mail import Envelope, SessionRef
from smtpgated_contracts.values.policy import ADMITTED, Decision, DecisionKind, TransactionOutcome
from smtpgated_contracts.values.reported import Rejections, Tunnelled

Costs = Mapping[Counted, int]
_REJECTIONS: Final[Costs] = {
    Counted.MAIL_REJECTIONS: 0,
    Counted.RCPT_REJECTIONS: 0,
    Counted.AUTH_REJECTIONS: 0,
}
OPENING: Final[Costs] = {Counted.SESSIONS: 1, Counted.DESTINATIONS: 1, **_REJECTIONS}
MAILING: Final[Costs] = {Counted.RECIPIENTS: 0, **_REJECTIONS}
_NOTHING_SAID: Final = Envelope()
_LONGEST_DOMAIN: Final = 255
OF_ONE_SENDER: Final = frozenset({Per.SOURCE, Per.IDENTITY, Per.AUTH_USER})
"""Whose limits a throttle and an override touch."""
_KINDS: Final = {Action.DEFER: DecisionKind.DEFER, Action.REFUSE: DecisionKind.REFUSE}


@dataclass(frozen=True, slots=True)
class Occasion:
    """What is counted: whose it is and what it costs. ``share``: the part of each limit of this
    sender that is left to it, below 1 while it is throttled. ``own``: its overrides."""

    session: SessionRef
    costs: Costs
    envelope: Envelope = _NOTHING_SAID
    profiles: tuple[str, ...] = ()
    exempt: bool = False
    share: float = 1.0
    own: Mapping[str, int] = field(default_factory=lambda: NO_OWN_LIMITS)


@dataclass(frozen=True, slots=True)
class Purchase:
    """A spend and the rate behind each of its counts."""

    rates: tuple[Rate, ...]
    spend: Spend

    def exceeded(self, spent: Spent) -> Rate | None:
        """The first enforced rate without room, in the order of the rulebook."""
        return next((self.rates[at] for at in spent.full if self._bites(at)), None)

    def decision(self, spent: Spent) -> Decision:
        """``recipients_left`` is said where recipients are asked about and not spent."""
        shadows = tuple(self.rates[at].id for at in spent.full if not self._bites(at))
        exceeded = self.exceeded(spent)
        if exceeded is not None:
            return Decision(
                _KINDS[exceeded.action],
                f"limit:{exceeded.id}",
                reply=exceeded.reply,
                shadows=shadows,
            )
        left = [
            count.limit - used
            for rate, count, used in zip(self.rates, self.spend.counts, spent.used, strict=True)
            if rate.count is Counted.RECIPIENTS and not count.cost
            if count.measured is Measured.ENFORCED
        ]
        if not left and not shadows:
            return ADMITTED
        return Decision(
            DecisionKind.ADMIT, recipients_left=min(left) if left else None, shadows=shadows
        )

    def _bites(self, at: int) -> bool:
        return self.spend.counts[at].measured is Measured.ENFORCED


def asked_occasion(
    asked: SessionAsked | MailAsked | DataAsked,
    *,
    exempt: bool,
    share: float,
    own: Mapping[str, int] = NO_OWN_LIMITS,
) -> Occasion:
    """A question of an edge's."""
    envelope = _NOTHING_SAID if isinstance(asked, SessionAsked) else asked.envelope
    return Occasion(asked.session, _costs(asked), envelope, asked.profiles, exempt, share, own)


def _costs(asked: SessionAsked | MailAsked | DataAsked) -> Costs:
    match asked:
        case SessionAsked():
            return OPENING
        case MailAsked():
            return MAILING
        case DataAsked():
            recipients = len(asked.envelope.recipients)
            return {Counted.MESSAGES: 1, Counted.RECIPIENTS: recipients, Counted.OCTETS: 0}


def ended_occasion(outcome: TransactionOutcome, *, exempt: bool) -> Occasion:
    """The octets of a message, known when it has ended."""
    costs = {Counted.OCTETS: outcome.content_octets}
    return Occasion(outcome.session, costs, outcome.envelope, outcome.profiles, exempt)


def refunded_occasion(outcome: TransactionOutcome, *, exempt: bool) -> Occasion:
    """What the farm itself kept from being delivered: it will come again."""
    costs = {Counted.MESSAGES: 1, Counted.RECIPIENTS: len(outcome.envelope.recipients)}
    return Occasion(outcome.session, costs, outcome.envelope, outcome.profiles, exempt)


def rejected_occasion(told: Rejections, *, exempt: bool) -> Occasion:
    """What servers refused."""
    costs = {
        Counted.MAIL_REJECTIONS: told.mail,
        Counted.RCPT_REJECTIONS: told.rcpt,
        Counted.AUTH_REJECTIONS: told.auth,
    }
    said = {counted: cost for counted, cost in costs.items() if cost}
    return Occasion(told.session, said, told.envelope, told.profiles, exempt)


def tunnelled_occasion(
    told: Tunnelled, *, exempt: bool, share: float, own: Mapping[str, int]
) -> Occasion:
    """What passed unread."""
    costs = {Counted.OCTETS: told.octets, Counted.MESSAGES: told.messages}
    said = {counted: cost for counted, cost in costs.items() if cost}
    return Occasion(told.session, said, told.envelope, told.profiles, exempt, share, own)


def purchase(book: Rulebook, occasion: Occasion) -> Purchase | None:
    """None: no rate is touched."""
    pairs = [
        (rate, _count(rate, subject, occasion))
        for rate in book.rates
        if rate.count in occasion.costs
        if rate.profile in ("", *occasion.profiles)
        if not (occasion.exempt and rate.per not in OF_EVERYBODY)
        if (subject := _SUBJECTS[rate.per](occasion.session, occasion.envelope))
    ]
    if not pairs:
        return None
    return Purchase(tuple(rate for rate, _ in pairs), Spend(tuple(count for _, count in pairs)))


OF_EVERYBODY: Final = frozenset({Per.TOTAL, Per.DESTINATION})


def _count(rate: Rate, subject: str, occasion: Occasion) -> Count:
    limit = rate.limit
    if rate.per in OF_ONE_SENDER:
        limit = occasion.own.get(rate.id, limit)
        if occasion.share < 1 and limit < UNLIMITED:
            limit = max(1, int(limit * occasion.share))
    by_name = rate.count is Counted.DESTINATIONS
    return Count(
        rate.id,
        subject,
        rate.window_s * 1000,
        limit,
        occasion.costs[rate.count],
        Measured.SHADOW if rate.mode is Mode.SHADOW else Measured.ENFORCED,
        occasion.session.original_destination.address if by_name else "",
    )


def sender_domain(reverse_path: bytes) -> str:
    """In lower case; empty for the null reverse-path and for what is no domain."""
    domain = reverse_path.rpartition(b"@")[2] if b"@" in reverse_path else b""
    if len(domain) > _LONGEST_DOMAIN:
        return ""
    return domain.decode("utf-8", "replace").rstrip(".").lower()


_SUBJECTS: Final[Mapping[Per, Callable[[SessionRef, Envelope], str]]] = {
    Per.TOTAL: lambda _session, _envelope: "total",
    Per.SOURCE: lambda session, _: counted_as(session.source.address),
    Per.IDENTITY: lambda session, _: f"identity:{session.identity}" if session.identity else "",
    Per.AUTH_USER: lambda _, envelope: auth_subject(envelope.auth_user),
    Per.SENDER_DOMAIN: lambda _, envelope: (
        f"domain:{domain}" if (domain := sender_domain(envelope.reverse_path)) else ""
    ),
    Per.DESTINATION: lambda session, _: f"destination:{session.original_destination.address}",
}
