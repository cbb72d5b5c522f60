"""What an edge reports besides the outcomes of messages. Times are Unix milliseconds."""

from dataclasses import dataclass
from typing import Final

from smtpgated_contracts.values.mail import Envelope, SessionRef
from smtpgated_contracts.values.policy import SpfResult
from smtpgated_contracts.values.scan import VerdictKind

_NOTHING_SAID: Final = Envelope()


@dataclass(frozen=True, slots=True)
class Rejections:
    """Commands that the server refused since the edge last said so.

    ``envelope`` is that of the session as it is now, without recipients.
    """

    session: SessionRef
    envelope: Envelope = _NOTHING_SAID
    profiles: tuple[str, ...] = ()
    mail: int = 0
    rcpt: int = 0
    auth: int = 0


@dataclass(frozen=True, slots=True)
class Tunnelled:
    """What a tunnel carried since the edge last said so: the client's octets, messages estimated.

    ``envelope`` says who has authenticated before, and nothing more.
    """

    session: SessionRef
    envelope: Envelope = _NOTHING_SAID
    profiles: tuple[str, ...] = ()
    octets: int = 0
    messages: int = 0


@dataclass(frozen=True, slots=True)
class RulingFacts:
    """What the rules knew besides the session. ``recipient``: asked for, accepted or not.

    ``found``: engine:name of each finding. ``load``: the edge's load average of one minute.
    """

    envelope: Envelope = _NOTHING_SAID
    recipient: bytes = b""
    spf: SpfResult | None = None
    listed_in: tuple[str, ...] = ()
    verdict: VerdictKind | None = None
    score: float = 0.0
    size_octets: int = 0
    auth_offered: bool = False
    found: tuple[str, ...] = ()
    load: float = 0.0


_NOTHING_KNOWN: Final = RulingFacts()


@dataclass(frozen=True, slots=True)
class RulingReport:
    """What the rules of one phase said, where they said anything.

    ``phase`` and ``action`` are spelt as in the rulebook; ``action`` empty: nobody decided.
    """

    session: SessionRef
    transaction: int
    phase: str
    action: str = ""
    rule_id: str = ""
    noted: tuple[str, ...] = ()
    shadows: tuple[str, ...] = ()
    rulebook_version: int = 0
    reply_code: int = 0
    at_ms: int = 0
    facts: RulingFacts = _NOTHING_KNOWN
