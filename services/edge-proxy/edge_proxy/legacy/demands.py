"""What is demanded of clients: patterns of addresses, SPF, DNSBLs, authentication."""

import re
from collections.abc import Mapping
from typing import Any, Final

from edge_proxy.legacy.draft import Draft, File, Old
from edge_proxy.legacy.wording import lock, reply
from rulebook.errors import RulebookError
from rulebook.patterns import Pattern

_UNKNOWN: Final[Mapping[str, Any]] = {"authenticated": False}
_PHASES: Final[Mapping[str, str]] = {"helo": "helo", "mail_from": "mail", "rcpt_to": "rcpt"}
_ZONE: Final = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63}){1,126}")
_MOST_ZONES: Final = 32
_LONGEST_ZONE: Final = 180


def translate_demands(old: Old, draft: Draft) -> None:
    """In the order in which the old program asked."""
    _dnsbl(old, draft)
    for what in _PHASES:
        for how in ("enforce", "reject"):
            _pattern(old, draft, how, what)
    _spf(old, draft)
    _authentication(old, draft)


def _pattern(old: Old, draft: Draft, how: str, what: str) -> None:
    directive = f"regex_{how}_{what}"
    text = old.text(directive)
    if not text:
        return
    try:
        Pattern.parse(text)
    except RulebookError as wrong:
        draft.lacking[directive] = str(wrong)
        return
    when = {f"{what}_matches_not" if how == "enforce" else f"{what}_matches": text}
    if what != "helo" and "regex" in old.words("auth_skip"):
        when |= _UNKNOWN
        draft.say("auth_skip", "regex: for the authenticated alone; it was left out for everybody")
    message = f"msg_regex_{what}"
    rule: dict[str, object] = {
        "id": f"regex-{what.replace('_', '-')}:{how}",
        "phase": _PHASES[what],
        "when": when,
        "action": "refuse",
    }
    rule |= reply(old, message) | lock(old, "regex")
    draft.rule(rule, directive, *_said(old, message))


def _dnsbl(old: Old, draft: Draft) -> None:
    zones = [each.strip(" \t.").lower() for each in old.text("dnsbl").split(",")]
    zones = list(dict.fromkeys(each for each in zones if each))
    taken = [each for each in zones if len(each) <= _LONGEST_ZONE and _ZONE.fullmatch(each)]
    taken = taken[:_MOST_ZONES]
    if len(taken) < len(zones):
        draft.lacking["dnsbl"] = "what is no domain is no zone; at most 32 are asked"
    if not taken:
        return
    tables = [{"zone": each, "answers": ["0.0.0.0/0"]} for each in taken]
    draft.put(File.RULEBOOK, "dnsbl", tables, "dnsbl")
    draft.say("dnsbl", "any answer counts, as before: name the answers that mean what you refuse")
    rule: dict[str, object] = {"id": "dnsbl", "phase": "connect", "when": {"dnsbl": taken}}
    if "dnsbl" in old.words("auth_skip"):
        rule |= {"phase": "mail", "when": {"dnsbl": taken, **_UNKNOWN}}
        draft.say("auth_skip", f"{File.RULEBOOK}: rule dnsbl")
    rule |= {"action": "refuse"} | reply(old, "msg_dnsdb_reject") | lock(old, "dnsbl")
    draft.rule(rule, "dnsbl", *_said(old, "msg_dnsdb_reject"))


def _spf(old: Old, draft: Draft) -> None:
    whose = old.text("spf")
    if whose == "off":
        return
    address = {"incoming": "client", "outgoing": "egress"}.get(whose, old.text("spf_fixed_ip"))
    if not address:
        draft.lacking["spf"] = "fixed: without spf_fixed_ip there is no address to ask about"
        return
    draft.put(File.RULEBOOK, "spf.address", address, "spf")
    if whose == "fixed":
        draft.say("spf_fixed_ip", f"{File.RULEBOOK}: spf.address")
    rule: dict[str, object] = {"id": "spf", "phase": "mail", "when": {"spf": "fail", **_UNKNOWN}}
    if old.yes("spf_log_only"):
        rule["action"] = "note"
    else:
        rule |= {"action": "refuse"} | reply(old, "msg_spf_reject") | lock(old, "spf")
    draft.rule(rule, "spf", "spf_log_only", *_said(old, "msg_spf_reject"))


def _authentication(old: Old, draft: Draft) -> None:
    if "direct" in old.words("auth_skip"):
        rule = {"id": "auth-direct", "phase": "auth", "action": "relay-unread"}
        draft.rule(rule, "auth_skip")
    required = old.text("auth_require")
    if required == "no":
        draft.say("auth_require", "not required, as before")
        return
    demand: dict[str, object] = {"id": "auth-require", "phase": "data", "action": "require-auth"}
    if required == "ifsupported":
        demand["when"] = {"auth_offered": True}
    demand |= reply(old, "msg_auth_required")
    draft.rule(demand, "auth_require", "msg_auth_required")


def _said(old: Old, message: str) -> tuple[str, ...]:
    return (message,) if old.text(message) else ()
