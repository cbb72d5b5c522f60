"""Which messages the demonstration sends, and what must become of each."""

from dataclasses import dataclass, replace
from enum import StrEnum

from lab import messages
from lab.messages import Sample


class Way(StrEnum):
    """How a message is sent."""

    ALONE = "a session of its own (smtplib)"
    PIPELINED = "in one session with its neighbours, pipelined"
    TLS = "under STARTTLS (smtplib)"


class Verdict(StrEnum):
    """What the farm must say; UNREAD: the session was tunnelled, there was nothing to say."""

    CLEAN = "clean"
    SUSPECT = "suspect"
    INFECTED = "infected"
    UNREAD = "not read"


@dataclass(frozen=True, slots=True)
class Case:
    """``code`` is what the client must be told at the end; 2xx means: kept byte for byte."""

    name: str
    sample: Sample
    way: Way
    code: int
    verdict: Verdict

    @property
    def must_be_kept(self) -> bool:
        """Whether the far server must have it."""
        return self.code == _KEPT


@dataclass(frozen=True, slots=True)
class Told:
    """What the client was told at the end of its message, and how long the message took."""

    code: int
    text: str
    spent_ms: float


_KEPT = 250
_REFUSED = 550


def cases() -> tuple[Case, ...]:
    """The rows of the table, in order."""
    worm = messages.eicar_attached()
    alone = (
        (messages.clean(), _KEPT, Verdict.CLEAN),
        (worm, _REFUSED, Verdict.INFECTED),
        (_next_copy(worm), _REFUSED, Verdict.INFECTED),
        (messages.eicar_zipped(), _REFUSED, Verdict.INFECTED),
        (messages.gtube(), _REFUSED, Verdict.SUSPECT),
    )
    return (
        *(Case(sample.name, sample, Way.ALONE, code, word) for sample, code, word in alone),
        *(
            Case(f"pipelined, {ordinal} of 3", messages.text(), Way.PIPELINED, _KEPT, Verdict.CLEAN)
            for ordinal in (1, 2, 3)
        ),
        Case("under STARTTLS", messages.clean(), Way.TLS, _KEPT, Verdict.UNREAD),
    )


def _next_copy(sample: Sample) -> Sample:
    """The same octets from another sender: what was said about them is remembered."""
    return replace(sample, name="the same once more", sender=f"copy-{sample.sender}")
