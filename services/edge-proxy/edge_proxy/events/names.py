"""What happened, under the names that scripts of smtp-gated know, and which ``on`` turns it on."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from rulebook.values import Counted, Phase, Rulebook
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

_LIMITING: Final = ("limit", "rate")
"""What causes of limits begin with, before the colon; "local" may stand before."""
_OF_CONDITION: Final[Mapping[str, EventName]] = {
    "helo_matches": EventName.REGEX_HELO,
    "helo_matches_not": EventName.REGEX_HELO,
    "mail_from_matches": EventName.REGEX_MAIL_FROM,
    "mail_from_matches_not": EventName.REGEX_MAIL_FROM,
    "rcpt_to_matches": EventName.REGEX_RCPT_TO,
    "rcpt_to_matches_not": EventName.REGEX_RCPT_TO,
    "spf": EventName.SPF,
    "dnsbl": EventName.DNSBL,
}

_OF_LIMIT: Final[Mapping[str, EventName | None]] = {
    "concurrent_sessions": None,  # nobody's fault in particular
    "concurrent_sessions_per_destination": None,
    "concurrent_sessions_per_source": EventName.MAX_HOST,
    "concurrent_sessions_per_identity": EventName.MAX_IDENT,
}
_OF_RATE: Final[Mapping[Counted, EventName]] = {
    Counted.MAIL_REJECTIONS: EventName.RATELIMIT_MAILFROM_REJECTS,
    Counted.RCPT_REJECTIONS: EventName.RATELIMIT_RCPTTO_REJECTS,
}


def of_rule(rule_id: str, phase: Phase, rulebook: Rulebook) -> EventName:
    """By the rule's id, as far as its first colon: ``regex-helo:dialup``. Others by the first of
    their conditions that has an event, or RULE."""
    named = _OF_RULE.get(rule_id.partition(":")[0])
    if named is not None:
        return named
    rules = rulebook.rules.get(phase, ())
    rule = next((each for each in rules if each.id == rule_id), None)
    keys = (each.key for each in rule.conditions) if rule is not None else ()
    return next((_OF_CONDITION[key] for key in keys if key in _OF_CONDITION), EventName.RULE)


def of_decision(cause: str, rulebook: Rulebook) -> EventName | None:
    """Of what policy, or this edge in its place, did not admit: by the limit that it names."""
    kind, _, limit = cause.partition(":")
    if not kind.endswith(_LIMITING):
        return None
    if limit in _OF_LIMIT:
        return _OF_LIMIT[limit]
    rate = next((each for each in rulebook.rates if each.id == limit), None)
    return _OF_RATE.get(rate.count, EventName.RATELIMIT) if rate else EventName.RATELIMIT
