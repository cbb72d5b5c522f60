"""What the core wants to ask, as policy is asked it: with the session it is about."""

from edge_proxy.interception.tproxy import local_end
from edge_proxy.links.link import Link
from edge_proxy.relay.actions import AskData, AskMail
from smtpgated_contracts.values.asked import DataAsked, MailAsked
from smtpgated_contracts.values.mail import SessionRef


def mail_asked(session: SessionRef, ask: AskMail, upstream: Link | None) -> MailAsked:
    """Our end of ``upstream`` is what the server sees as the client; None: it is lost."""
    return MailAsked(
        session,
        ask.transaction,
        ask.envelope,
        ask.profiles,
        ask.wants_spf,
        local_end(upstream.socket).address if upstream is not None else "",
        ask.declared_octets,
    )


def data_asked(session: SessionRef, ask: AskData) -> DataAsked:
    return DataAsked(session, ask.transaction, ask.envelope, ask.profiles, ask.declared_octets)
