"""What policy is asked about MAIL and about content, where the rulebook says so.

Policy knows what the farm has counted, and asks the DNS. The next octets of the client wait for
its answer, in the phase DECISION; what the server says meanwhile is relayed. An answer always
comes: while policy is away, the edge's own limits give it. Before MAIL nothing is spent; what is
asked before the content spends one message and its recipients, all or nothing.
"""

from collections.abc import Callable

from edge_proxy.relay.actions import AskData, AskMail, Note
from edge_proxy.relay.conversation import Conversation
from edge_proxy.relay.facts import Denied
from edge_proxy.relay.judgement import refusal_by
from edge_proxy.relay.phases import Cause
from edge_proxy.relay.refusals import Refusal
from edge_proxy.relay.transaction import Transaction
from edge_proxy.smtp.verbs import Verb
from smtpgated_contracts.values.policy import Decision, DecisionKind


def is_asked_about_mail(c: Conversation) -> bool:
    """Whether rules or rates may depend on what policy knows. SPF is not about who has
    authenticated: from where he sends is his affair."""
    return (c.is_counted and c.rulebook.limits_mail) or _wants_spf(c)


def ask_mail(
    c: Conversation, transaction: Transaction, go_on: Callable[[Refusal | None], None]
) -> None:
    """``go_on`` is called when policy has decided, with what the client is to be told."""

    def decided(decision: Decision) -> None:
        c.go(Cause.MAIL_DECIDED)
        transaction.spf, transaction.room = decision.spf, decision.recipients_left
        go_on(_refusal(c, Verb.MAIL, decision))

    envelope = c.envelope_without_recipients(transaction)
    ordinal, declared = c.transactions + 1, transaction.declared_octets
    c.outbox.ask(AskMail(ordinal, envelope, c.profiles, _wants_spf(c), declared))
    c.when_decided = decided
    c.go(Cause.POLICY_ASKED)


def is_asked_about_content(c: Conversation) -> bool:
    """Whether content spends anything; without a recipient there will be none."""
    return is_content_counted(c) and c.transaction.open and bool(c.transaction.recipients)


def is_content_counted(c: Conversation) -> bool:
    """Whether content has to wait until its envelope is known."""
    return c.is_counted and c.rulebook.limits_content


def ask_data(c: Conversation, verb: Verb, go_on: Callable[[Refusal | None], None]) -> None:
    """The same for the content of the transaction, once all before it is answered."""
    transaction = c.transaction

    def decided(decision: Decision) -> None:
        c.go(Cause.CONTENT_DECIDED)
        # A cause of an ADMIT says that something else than the limits admitted it.
        transaction.spent = decision.kind is DecisionKind.ADMIT and not decision.cause
        go_on(_refusal(c, verb, decision))

    envelope, declared = c.envelope_of(transaction), transaction.declared_octets
    c.outbox.ask(AskData(c.transactions + 1, envelope, c.profiles, declared))
    c.when_decided = decided
    c.go(Cause.POLICY_ASKED)


def _wants_spf(c: Conversation) -> bool:
    return c.rulebook.wants_spf and not c.facts.authenticated


def _refusal(c: Conversation, verb: Verb, decision: Decision) -> Refusal | None:
    refusal = refusal_by(decision)
    if refusal is not None:
        denied = Denied(verb, decision.cause, refusal.code, decision.decision_id)
        c.outbox.ask(Note(denied))
    return refusal
