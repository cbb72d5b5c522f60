"""Since when an engine has been what it is: a new version has to prove itself for a while.

Times are seconds of any clock that only goes forward. No errors.
"""

from scanner.core.profile import EngineProfile, EngineVersion


class KnownSince:
    """One entry an engine."""

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: dict[str, tuple[EngineVersion, float]] = {}

    def known_for_s(self, engine: EngineProfile, version: EngineVersion, now_s: float) -> float:
        """Seconds; 0 when this is the first that is heard of this version."""
        last, since_s = self._seen.get(engine.name, (None, now_s))
        if last != version:
            self._seen[engine.name] = version, now_s
            return 0.0
        return now_s - since_s
