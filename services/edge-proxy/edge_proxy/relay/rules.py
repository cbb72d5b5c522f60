"""Ask the rules of one phase; what they say of the session is kept, of a message handed back.

They judge by the MAIL and RCPT that were sent last, answered or not. What they say of one
message rides on the answer to the command that they were asked about; what holds for the session
holds from here on. What AUTH's rules grant has to be earned: by the server's 235.
"""

from typing import Final

from edge_proxy.relay.actions import Note
from edge_proxy.relay.conversation import Conversation
from edge_proxy.relay.facts import RulesSpoke, SanctionAsked
from edge_proxy.relay.judgement import connection_refusal_of, refusal_of
from rulebook.evaluate import SILENT, evaluate
from rulebook.values import Offence, Phase, Ruling
from smtpgated_contracts.values.reported import RulingFacts

_OF_THE_SESSION: Final = frozenset({Phase.CONNECT, Phase.HELO})
"""What rules of these phases let be skipped is skipped for every message."""


def judge(c: Conversation, phase: Phase) -> Ruling:
    """What the rules of ``phase`` say. What fired is noted, and what it asks for."""
    about, facts = c.asked_last, c.facts
    facts.reverse_path, facts.recipient, facts.spf = about.reverse_path, about.recipient, about.spf
    if phase is not Phase.CONTENT:  # its size is the one that came, not the one that was declared
        facts.size_octets = about.declared_octets
    ruling = evaluate(c.rulebook, phase, facts)
    if phase is Phase.AUTH:
        c.auth_skip, c.auth_unread = ruling.skip, ruling.relay_unread
    if ruling is not SILENT:
        _keep(c, phase, ruling)
        _note(c, phase, ruling)
    return ruling


def offended(c: Conversation, offence: Offence) -> None:
    """What is answered without a rule costs what the rulebook says it does."""
    sanction = c.rulebook.sanctions.get(offence)
    if sanction is not None and not c.rulebook.exempt.covers(c.facts.source):
        c.outbox.ask(Note(SanctionAsked(sanction, c.facts.auth_user)))


def _keep(c: Conversation, phase: Phase, ruling: Ruling) -> None:
    if phase in _OF_THE_SESSION:
        c.session_skip |= ruling.skip
    c.starttls = ruling.starttls or c.starttls
    if ruling.profiles:
        c.profiles = tuple(dict.fromkeys((*c.profiles, *ruling.profiles)))


def _note(c: Conversation, phase: Phase, ruling: Ruling) -> None:
    refusal = (connection_refusal_of if phase is Phase.CONNECT else refusal_of)(ruling)
    ordinal = c.transactions if phase is Phase.CONTENT else c.transactions + 1
    code = refusal.code if refusal is not None else 0
    c.outbox.ask(Note(RulesSpoke(phase, ruling, ordinal, code, _known(c))))
    if phase is not Phase.CONTENT:  # those of the content go with what became of the message
        for each in ruling.sanctions:
            c.outbox.ask(Note(SanctionAsked(each, c.facts.auth_user)))


def _known(c: Conversation) -> RulingFacts:
    facts = c.facts
    return RulingFacts(
        envelope=c.envelope_without_recipients(c.asked_last),
        recipient=facts.recipient,
        spf=facts.spf,
        listed_in=tuple(sorted(facts.dnsbl)),
        verdict=facts.verdict,
        score=facts.score,
        size_octets=facts.size_octets,
        auth_offered=facts.auth_offered,
        found=facts.found,
        load=facts.load,
    )
