"""Which engines look at this content, and what is missing before anybody has looked.

An engine is asked when a class it judges is wanted and the content is within its limit.
A class nobody is configured for is not judged, and not missing: that is the operator's
choice, here or in the message's profile. A class skipped by a rule is neither.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from scanner.core.profile import EngineProfile, Oversize
from scanner.core.scan_profile import ScanProfile
from smtpgated_contracts.values.scan import EngineClass, Missing

EVERY_CLASS: Final = frozenset(EngineClass)


@dataclass(frozen=True, slots=True)
class Plan:
    """``ask``: positions of the engines to ask; ``missing``: what their limits leave out."""

    ask: tuple[int, ...]
    wanted: frozenset[EngineClass]
    missing: tuple[Missing, ...] = ()


def plan(
    engines: Sequence[EngineProfile],
    profile: ScanProfile,
    size_octets: int,
    skip: frozenset[EngineClass],
) -> Plan:
    wanted = EVERY_CLASS - skip if skip else EVERY_CLASS
    ask: list[int] = []
    missing: list[Missing] = []
    for position, engine in enumerate(engines):
        judged = engine.judges & wanted
        if not judged or not profile.asks(engine.name):
            continue
        if size_octets <= engine.max_octets:
            ask.append(position)
        elif engine.oversize is Oversize.MISSING:
            reason = f"{engine.name}: {size_octets} octets, its limit is {engine.max_octets}"
            missing.extend(Missing(each, reason) for each in sorted(judged))
    return Plan(tuple(ask), wanted, tuple(missing))
