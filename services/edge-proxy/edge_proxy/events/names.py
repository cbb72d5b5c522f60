"""What happened, under the names that scripts of smtp-gated know, and which ``on`` turns it on."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from smtpgated_contracts.values.scan import VerdictKind


class EventName(StrEnum):
    """The first argument of the script, and its variable FOUND."""

    VIRUS = "VIRUS"
    SPAM = "SPAM"
    MAX_HOST = "MAX_HOST"
    MAX_IDENT = "MAX_IDENT"
    DNSBL = "DNSBL"
    SPF = "SPF"
    REGEX_HELO = "REGEX_HELO"
    REGEX_MAIL_FROM = "REGEX_MAIL_FROM"
    REGEX_RCPT_TO = "REGEX_RCPT_TO"
    EARLYTALK = "EARLYTALK"
    RATELIMIT = "RATELIMIT"
    RATELIMIT_MAILFROM_REJECTS = "RATELIMIT_MAILFROM_REJECTS"
    RATELIMIT_RCPTTO_REJECTS = "RATELIMIT_RCPTTO_REJECTS"
    LOCK = "LOCK"
    RULE = "RULE"


class EventGroup(StrEnum):
    """The words of ``on``: the old program's, and two of ours."""

    VIRUS = "virus"
    SPAM = "spam"
    MAXHOST = "maxhost"
    MAXIDENT = "maxident"
    DNSBL = "dnsbl"
    SPF = "spf"
    REGEX = "regex"
    EARLYTALK = "earlytalk"
    RATELIMIT = "ratelimit"
    LOCK = "lock"
    RULE = "rule"


GROUPS: Final[Mapping[EventName, EventGroup]] = {
    EventName.VIRUS: EventGroup.VIRUS,
    EventName.SPAM: EventGroup.SPAM,
    EventName.MAX_HOST: EventGroup.MAXHOST,
    EventName.MAX_IDENT: EventGroup.MAXIDENT,
    EventName.DNSBL: EventGroup.DNSBL,
    EventName.SPF: EventGroup.SPF,
    EventName.REGEX_HELO: EventGroup.REGEX,
    EventName.REGEX_MAIL_FROM: EventGroup.REGEX,
    EventName.REGEX_RCPT_TO: EventGroup.REGEX,
    EventName.EARLYTALK: EventGroup.EARLYTALK,
    EventName.RATELIMIT: EventGroup.RATELIMIT,
    EventName.RATELIMIT_MAILFROM_REJECTS: EventGroup.RATELIMIT,
    EventName.RATELIMIT_RCPTTO_REJECTS: EventGroup.RATELIMIT,
    EventName.LOCK: EventGroup.LOCK,
    EventName.RULE: EventGroup.RULE,
}

OF_VERDICT: Final[Mapping[VerdictKind, EventName]] = {
    VerdictKind.INFECTED: EventName.VIRUS,
    VerdictKind.SUSPECT: EventName.SPAM,
}
"""Of messages that were not released."""

OF_VIOLATION: Final[Mapping[str, EventName]] = {"spoke before the greeting": EventName.EARLYTALK}

_OF_RULE: Final[Mapping[str, EventName]] = {
    "regex-helo": EventName.REGEX_HELO,
    "regex-mail-from": EventName.REGEX_MAIL_FROM,
    "regex-rcpt-to": EventName.REGEX_RCPT_TO,
    "spf": EventName.SPF,
    "dnsbl": EventName.DNSBL,
    "earlytalk": EventName.EARLYTALK,
    "max-ident": EventName.MAX_IDENT,
    "ratelimit": EventName.RATELIMIT,
    "ratelimit-mailfrom-rejects": EventName.RATELIMIT_MAILFROM_REJECTS,
    "ratelimit-rcptto-rejects": EventName.RATELIMIT_RCPTTO_REJECTS,
}

_LIMIT: Final = "limit:"
_OF_LIMIT: Final[Mapping[str, EventName | None]] = {
    "concurrent_sessions": None,  # nobody's fault in particular
    "concurrent_sessions_per_source": EventName.MAX_HOST,
    "concurrent_sessions_per_identity": EventName.MAX_IDENT,
}


def of_rule(rule_id: str) -> EventName:
    """By the rule's id, as far as its first colon: ``regex-helo:dialup``. Others are RULE."""
    return _OF_RULE.get(rule_id.partition(":")[0], EventName.RULE)


def of_decision(cause: str) -> EventName | None:
    """Of a session that policy, or this edge in its place, did not admit."""
    _, found, limit = cause.partition(_LIMIT)
    return _OF_LIMIT.get(limit, EventName.RATELIMIT) if found else None
