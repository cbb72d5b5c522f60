"""Which engines look at this content, and what is missing before anybody has looked.

An engine is asked when a class it judges is wanted and the content is within its limit.
A class nobody is configured for is not judged, and not missing: that is the operator's
choice, here or in the message's profile. A class skipped by a rule is neither.

Under load some classes are *spared*: engines that could judge nothing else are not asked, and
what they would have judged is missing. An engine that is asked anyway judges all it can.
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
    """``ask``, ``spared``: positions of the engines to ask, and of those that load keeps from it;
    ``missing``: what their limits and load leave out."""

    ask: tuple[int, ...]
    wanted: frozenset[EngineClass]
    missing: tuple[Missing, ...] = ()
    spared: tuple[int, ...] = ()


def plan(
    engines: Sequence[EngineProfile],
    profile: ScanProfile,
    size_octets: int,
    skip: frozenset[EngineClass],
    spare: frozenset[EngineClass] = frozenset(),
) -> Plan:
    wanted = EVERY_CLASS - skip if skip else EVERY_CLASS
    ask: list[int] = []
    missing: list[Missing] = []
    spared: list[int] = []
    for position, engine in enumerate(engines):
        judged = engine.judges & wanted
        if not judged or not profile.asks(engine.name):
            continue
        if size_octets > engine.max_octets:
            if engine.oversize is Oversize.SKIP:
                continue
            why = f"{size_octets} octets, its limit is {engine.max_octets}"
        elif judged <= spare:
            spared.append(position)
            why = "overload, not asked"
        else:
            ask.append(position)
            continue
        missing.extend(Missing(each, f"{engine.name}: {why}") for each in sorted(judged))
    return Plan(tuple(ask), wanted, tuple(missing), tuple(spared))
