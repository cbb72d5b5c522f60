"""What a far server offers and how it misbehaves, as one frozen value.

A plan names *moments* of a session and gives each a *twist*: what happens there instead
of the ordinary reply. One twist holds for every time the moment comes; a tuple of twists
is used up one by one, after which the server is ordinary again.

    FarPlan(at={Moment.RCPT: (NORMAL, Say("550 5.1.1 nobody here")), Moment.END: Hold()})
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Moment(StrEnum):
    """A point of the session where the server speaks. CONTENT: content is about to be read,
    after the 354; there it has nothing to say. END: the whole content is there."""

    GREETING = "GREETING"
    HELO = "HELO"
    EHLO = "EHLO"
    STARTTLS = "STARTTLS"
    AUTH = "AUTH"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    BDAT = "BDAT"
    XCLIENT = "XCLIENT"
    CONTENT = "CONTENT"
    END = "END"
    RSET = "RSET"
    NOOP = "NOOP"
    VRFY = "VRFY"
    HELP = "HELP"
    QUIT = "QUIT"


@dataclass(frozen=True, slots=True)
class Normal:
    """The ordinary reply; holds a place in a tuple of twists."""


@dataclass(frozen=True, slots=True)
class Say:
    """Another reply, lines separated by LF; 2xx and 3xx still have the ordinary effect."""

    reply: str


@dataclass(frozen=True, slots=True)
class Raw:
    """These octets as they are, then as if the ordinary reply had been given."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """Say ``last_words`` if there are any, and close; ``reset`` sends RST instead of FIN.

    At CONTENT it closes as soon as ``after_octets`` of content have come, always with RST.
    """

    last_words: str = ""
    reset: bool = False
    after_octets: int = 0


@dataclass(frozen=True, slots=True)
class Silence:
    """Never answer, go on reading."""


@dataclass(frozen=True, slots=True)
class Delay:
    """Read and answer nothing for a while, then be ordinary."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hold:
    """Read and answer nothing until ``FarServer.release()``, then be ordinary."""


Twist = Normal | Say | Raw | Close | Silence | Delay | Hold
NORMAL: Final = Normal()

MAX_CONTENT_OCTETS: Final = 256 * 1024 * 1024

KEYWORDS: Final = (
    "PIPELINING",
    "SIZE 104857600",
    "8BITMIME",
    "SMTPUTF8",
    "DSN",
    "ENHANCEDSTATUSCODES",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FarPlan:
    """``keywords`` are EHLO lines as they are sent; a keyword that is offered works.

    ``accounts`` maps user to password where AUTH is offered; None accepts any. Unpaced
    (``octets_per_s`` 0) it reads as fast as it can. ``receive_buffer_octets`` sets SO_RCVBUF
    (0: the system's own), so that what a slow reader has not read stays with its client.
    ``keep`` bounds how many messages and sessions are remembered, oldest forgotten first.
    """

    name: str = "far.example"
    keywords: tuple[str, ...] = KEYWORDS
    accounts: Mapping[str, str] | None = None
    at: Mapping[Moment, Twist | tuple[Twist, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    octets_per_s: int = 0
    receive_buffer_octets: int = 0
    keep: int = 10_000

    def offers(self, keyword: str) -> bool:
        """Whether an EHLO line starts with ``keyword``."""
        return any(line.split(" ")[0] == keyword for line in self.keywords)

    @property
    def limit_octets(self) -> int:
        """RFC 1870: the argument of SIZE; ``MAX_CONTENT_OCTETS`` where there is none or 0."""
        for line in self.keywords:
            keyword, _, argument = line.partition(" ")
            if keyword == "SIZE" and argument.isdigit():
                return min(int(argument), MAX_CONTENT_OCTETS) or MAX_CONTENT_OCTETS
        return MAX_CONTENT_OCTETS


class Twists:
    """Which twist comes next; one a session, as tuples are used up."""

    def __init__(self, plan: FarPlan) -> None:
        self._always: dict[Moment, Twist] = {}
        self._once: dict[Moment, list[Twist]] = {}
        for moment, twist in plan.at.items():
            if isinstance(twist, tuple):
                self._once[moment] = list(reversed(twist))
            else:
                self._always[moment] = twist

    def next(self, moment: Moment) -> Twist:
        """The twist of this coming of ``moment``."""
        once = self._once.get(moment)
        return once.pop() if once else self._always.get(moment, NORMAL)
