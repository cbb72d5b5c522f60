"""Which actions and conditions a rule of each phase may have.

A rule that could never bite, or that comes too late to do what it says, is an error of the
document and not a surprise at night: content has been scanned when its rules are asked, and
STARTTLS has been offered when MAIL is. So is a condition about what a phase cannot know.
"""

from collections.abc import Mapping
from typing import Final

from rulebook.facts import Phase
from rulebook.rules import Action

_ALWAYS: Final = frozenset({Action.ADMIT, Action.REFUSE, Action.DEFER, Action.NOTE})
_EARLY: Final = frozenset({Action.SKIP_VIRUS, Action.SKIP_SPAM, Action.LIMIT_PROFILE})
_TLS: Final = frozenset({Action.TUNNEL_TLS, Action.MASK_TLS, Action.REFUSE_TLS})
_AUTH: Final = frozenset({Action.REQUIRE_AUTH})

ACTIONS: Final[Mapping[Phase, frozenset[Action]]] = {
    Phase.CONNECT: _ALWAYS | _EARLY | _TLS,
    Phase.HELO: _ALWAYS | _EARLY | _TLS,
    Phase.AUTH: _ALWAYS | _EARLY | {Action.RELAY_UNREAD},
    Phase.MAIL: _ALWAYS | _EARLY | _AUTH,
    Phase.RCPT: _ALWAYS | _EARLY | _AUTH,
    Phase.DATA: _ALWAYS | _EARLY | _AUTH,
    Phase.CONTENT: _ALWAYS,
}

_OF_SESSION: Final = frozenset(
    {
        *("source", "destination", "destination_port", "identity", "dnsbl", "load_over"),
        "authenticated",
    }
)
_OF_HELO: Final = _OF_SESSION | {"helo_matches", "helo_matches_not"}
_OF_AUTH: Final = _OF_HELO | {"auth_offered"}
_OF_MAIL: Final = _OF_AUTH | {
    *("auth_user", "mail_from_matches", "mail_from_matches_not", "sender_domain", "spf"),
    "size_over_octets",
}

CONDITIONS: Final[Mapping[Phase, frozenset[str]]] = {
    Phase.CONNECT: _OF_SESSION,
    Phase.HELO: _OF_HELO,
    Phase.AUTH: _OF_AUTH,
    Phase.MAIL: _OF_MAIL,
    # A recipient is that of one RCPT; in the phases behind it there may be many.
    Phase.RCPT: _OF_MAIL | {"rcpt_to_matches", "rcpt_to_matches_not", "recipient_domain"},
    Phase.DATA: _OF_MAIL,
    Phase.CONTENT: _OF_MAIL | {"verdict", "score_at_least", "found_matches"},
}

LENIENT: Final = frozenset(
    {Action.ADMIT, Action.SKIP_VIRUS, Action.SKIP_SPAM, Action.TUNNEL_TLS, Action.RELAY_UNREAD}
)
"""What a stranger may want to happen: no pattern that he can have cut leads to it."""
