"""Limits that name a window, and the points that add up to a lock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from rulebook.rules import Action, Mode, On
from smtpgated_contracts.values.policy import Stage


class Counted(StrEnum):
    """What a rate counts. Rejections are the server's, of MAIL, RCPT and AUTH.

    DESTINATIONS are different ones; OCTETS are of content, counted when the message has ended.
    """

    SESSIONS = "sessions"
    MESSAGES = "messages"
    RECIPIENTS = "recipients"
    OCTETS = "octets"
    DESTINATIONS = "destinations"
    MAIL_REJECTIONS = "mail-rejections"
    RCPT_REJECTIONS = "rcpt-rejections"
    AUTH_REJECTIONS = "auth-rejections"


class Per(StrEnum):
    """Whom a rate counts for. An IPv6 SOURCE is its /64. Who has no such name is not counted."""

    TOTAL = "total"
    SOURCE = "source"
    IDENTITY = "identity"
    AUTH_USER = "auth-user"
    SENDER_DOMAIN = "sender-domain"
    DESTINATION = "destination"


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``limit`` of ``count`` in any ``window_s`` seconds, for each ``per``.

    ``action`` is DEFER or REFUSE, with ``reply`` if there is one. ``profile`` empty: always in
    force; else only in sessions that a rule gave this profile. Whoever goes over it is given
    ``points`` and locked for ``lock_s`` seconds, as ``on`` says.
    """

    id: str
    count: Counted
    per: Per
    limit: int
    window_s: int
    action: Action = Action.DEFER
    reply: str = ""
    mode: Mode = Mode.ENFORCE
    profile: str = ""
    lock_s: int = 0
    points: float = 0.0
    on: On = On.SOURCE


@dataclass(frozen=True, slots=True)
class Penalty:
    """Points halve every ``half_life_s`` seconds; ``stages`` are the points each holds from.

    Without stages points have no consequence. In THROTTLE every rate of the subject counts as
    its limit times ``throttle_share``.
    """

    half_life_s: int = 3600
    throttle_share: float = 0.25
    stages: Mapping[Stage, float] = field(default_factory=dict)
