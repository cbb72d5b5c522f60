"""For how long an engine's statements are believed."""

from dataclasses import dataclass

from scanner.core.profile import EngineProfile, EngineVersion
from smtpgated_contracts.values.scan import EngineClass


@dataclass(frozen=True, slots=True)
class Lives:
    """Seconds. ``unversioned_s``: of what an engine for viruses states that tells neither number
    nor edition of its signatures, or of whose daemons one is away and may know less."""

    virus_s: float = 3600.0
    unversioned_s: float = 60.0
    spam_s: float = 300.0


def life_s(
    engine: EngineProfile, version: EngineVersion, known_for_s: float, lives: Lives
) -> float:
    """The shortest of those its classes have.

    ``known_for_s``: for how long the engine has said that it is this version. What it states
    about viruses is believed no longer than that: clamd tells the number of a new database as
    soon as its file is there, and goes on with the old one until it has loaded it.
    """
    told = (version.signatures is not None or version.edition) and not version.away
    settled_s = max(lives.unversioned_s, known_for_s) if told else lives.unversioned_s
    by_class = {EngineClass.VIRUS: min(lives.virus_s, settled_s), EngineClass.SPAM: lives.spam_s}
    return min(by_class[each] for each in engine.judges)
