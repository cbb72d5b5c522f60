"""Bounds and choices of the core; sizes in octets, times in seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge_proxy.relay.phases import PATIENCE, Phase


@dataclass(frozen=True, slots=True)
class CoreSettings:
    """``reply_name`` is the host name in our own replies; empty: none is told."""

    reply_name: str = ""
    max_owed_replies: int = 128
    """Commands under way; the old program allowed 128. At the bound reading stops."""
    max_inbox: int = 65_536
    """Octets kept at a barrier before reading stops (one slice more may still arrive)."""
    max_refused_commands: int = 20
    """Commands refused by us in one session before it is closed; Postfix's hard limit is 20."""
    max_skipped: int = 100 * 1024 * 1024
    """Octets of refused BDAT or lost content read away before the session is closed."""
    max_recipients_kept: int = 1000
    """Recipients that an envelope names; those beyond are relayed and counted."""
    patience: Mapping[Phase, float] = field(default_factory=lambda: PATIENCE)
