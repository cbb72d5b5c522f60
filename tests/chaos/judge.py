"""Whether mail was lost, doubled, or let through: what clients were told beside what was stored.

Pure. A client that lost the connection before the reply cannot know, as SMTP has it (RFC 5321
§4.2.5, RFC 1047): such an attempt may have been stored, and the next one may store it again.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What a message is."""

    CLEAN = "clean"
    SPAM = "spam"
    INFECTED = "infected"


class Told(StrEnum):
    """What a client heard at the end of an attempt. UNKNOWN: the content was sent and no reply
    came. NOT_SENT: it ended before the content did."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    NOT_SENT = "not sent"


@dataclass(frozen=True, slots=True)
class Attempt:
    """``at_s``: when it ended, by one clock."""

    message: str
    kind: Kind
    told: Told
    at_s: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """``unclear``: attempts whose end nobody knows. ``recovery_s`` None: it never recovered."""

    told: Mapping[Told, int]
    infected_stored: int
    spam_stored: int
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    unclear: int
    recovery_s: float | None

    @property
    def is_sound(self) -> bool:
        """Nothing infected passed, nothing accepted is missing, nothing is there too often."""
        return not (self.infected_stored or self.lost or self.doubled) and (
            self.recovery_s is not None
        )


IN_A_ROW: Final = 10
"""So many clean messages accepted one after another are a farm that has recovered."""


def judge(attempts: Iterable[Attempt], stored: Mapping[str, int], healed_s: float) -> Judgement:
    """``stored``: message -> how often the far side has it."""
    ended = sorted(attempts, key=lambda each: each.at_s)
    kinds = {each.message: each.kind for each in ended}
    accepted = Counter(each.message for each in ended if each.told is Told.ACCEPTED)
    unclear = Counter(each.message for each in ended if each.told is Told.UNKNOWN)
    return Judgement(
        told=Counter(each.told for each in ended),
        infected_stored=sum(stored.get(each, 0) for each in kinds if kinds[each] is Kind.INFECTED),
        spam_stored=sum(stored.get(each, 0) for each in kinds if kinds[each] is Kind.SPAM),
        lost=tuple(each for each in accepted if stored.get(each, 0) < accepted[each]),
        doubled=tuple(
            each for each, times in stored.items() if times > accepted[each] + unclear[each]
        ),
        unclear=unclear.total(),
        recovery_s=_recovery_s(ended, healed_s),
    )


def _recovery_s(ended: Iterable[Attempt], healed_s: float) -> float | None:
    """From the healing until the first of IN_A_ROW clean ones that were all accepted."""
    first, row = 0.0, 0
    for each in ended:
        if each.kind is not Kind.CLEAN or each.at_s < healed_s:
            continue
        if each.told is not Told.ACCEPTED:
            row = 0
            continue
        first = first if row else each.at_s
        row += 1
        if row == IN_A_ROW:
            return first - healed_s
    return None
