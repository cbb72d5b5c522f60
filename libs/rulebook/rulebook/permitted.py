"""Which actions and conditions a rule of each phase may have.

A rule that could never bite, or that comes too late to do what it says, is an error of the
document and not a surprise at night: content has been scanned when its rules are asked, and
STARTTLS has been offered when MAIL is.
"""

from collections.abc import Mapping
from typing import Final

from rulebook.values import Action, Phase

_ALWAYS: Final = frozenset({Action.ADMIT, Action.REFUSE, Action.DEFER, Action.NOTE})
_SKIPS: Final = frozenset({Action.SKIP_VIRUS, Action.SKIP_SPAM})
_TLS: Final = frozenset({Action.TUNNEL_TLS, Action.MASK_TLS, Action.REFUSE_TLS})

ACTIONS: Final[Mapping[Phase, frozenset[Action]]] = {
    Phase.CONNECT: _ALWAYS | _SKIPS | _TLS,
    Phase.HELO: _ALWAYS | _SKIPS | _TLS,
    Phase.AUTH: _ALWAYS | _SKIPS,
    Phase.MAIL: _ALWAYS | _SKIPS,
    Phase.RCPT: _ALWAYS | _SKIPS,
    Phase.DATA: _ALWAYS | _SKIPS,
    Phase.CONTENT: _ALWAYS,
}

OF_CONTENT: Final = frozenset({"verdict", "score_at_least", "size_over_octets"})
"""Conditions about what only the content phase knows."""
