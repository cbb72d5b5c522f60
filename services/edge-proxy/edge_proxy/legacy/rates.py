"""``ratelimit_…`` -> rates of the rulebook: windows slide, and count for the whole farm."""

from typing import Final

from edge_proxy.legacy.draft import Draft, File, Old
from edge_proxy.legacy.wording import lock, reply
from rulebook.reading.rates import LONGEST_WINDOW_S

_COUNTED: Final = (
    ("connections", "sessions", "ratelimit:connections", "msg_rate_reject"),
    ("messages", "messages", "ratelimit:messages", "msg_ratelimit_messages"),
    ("recipients", "recipients", "ratelimit:recipients", "msg_ratelimit_rcptto"),
    (
        *("mailfrom_rejects", "mail-rejections", "ratelimit-mailfrom-rejects"),
        "msg_ratelimit_mailfrom_rejects",
    ),
    (
        *("rcptto_rejects", "rcpt-rejections", "ratelimit-rcptto-rejects"),
        "msg_ratelimit_rcptto_rejects",
    ),
    ("bytes", "octets", "ratelimit:bytes", ""),
    ("auth_rejects", "auth-rejections", "ratelimit:auth-rejects", ""),
    ("dst", "destinations", "ratelimit:dst", "msg_ratelimit_dst"),
)
"""Directive, what is counted, the rate's id (scripts know events by it), the text."""

_NEVER_IN_FORCE: Final = frozenset({"bytes", "auth_rejects"})
"""Read by the old program, and never looked at again."""
_LOCKED_FOR: Final = frozenset({"mailfrom_rejects", "rcptto_rejects"})
"""The other limits refused and did not lock."""


def translate_rates(old: Old, draft: Draft) -> None:
    window_s = old.number("ratelimit_expiration")
    if not window_s:
        return
    per = "identity" if old.text("mode").startswith("remote") else "source"
    rates = []
    for what, counted, name, message in _COUNTED:
        directive = f"ratelimit_{what}"
        limit = old.number(directive)
        if not limit or (what == "dst" and old.number("ratelimit_dst_expiration") < 0):
            continue
        rate: dict[str, object] = {"id": name, "count": counted, "per": per, "limit": limit}
        rate |= {"window_s": _window_s(old, what), "action": "defer"}
        if what in _NEVER_IN_FORCE:
            rate["mode"] = "shadow"
            draft.say(directive, "in shadow: the old program never acted on it")
        elif old.text(message):
            rate |= reply(old, message)
            draft.say(message, f"{File.RULEBOOK}: rate {name}")
        rates.append(rate | (lock(old, "ratelimit") if what in _LOCKED_FOR else {}))
        draft.say(directive, f"{File.RULEBOOK}: rate {name}")
    if rates:
        draft.put(File.RULEBOOK, "rates", rates, "ratelimit_expiration")
    if window_s > LONGEST_WINDOW_S:
        draft.say("ratelimit_expiration", f"at most {LONGEST_WINDOW_S} seconds")


def _window_s(old: Old, what: str) -> int:
    """Destinations were forgotten after a time of their own."""
    name = "ratelimit_dst_expiration" if what == "dst" else "ratelimit_expiration"
    return min(max(old.number(name), 1), LONGEST_WINDOW_S)
