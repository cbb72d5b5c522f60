"""What applies to one message, by the name its request carries (the rulebook's word).

An operator gives names to ways of scanning: which engines, from which score on content is
suspect, how large it may be. The empty name is the default way: every engine.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ScanProfile:
    """``engines``: names of those that are asked, None: every one. ``suspect_at``: the spam score
    from which content is suspect. ``content_octets``: larger content is not judged."""

    suspect_at: float
    content_octets: int
    engines: frozenset[str] | None = None

    def asks(self, engine: str) -> bool:
        return self.engines is None or engine in self.engines


class UnknownProfile(LookupError):  # noqa: N818 - a finding about a request
    """The request names a profile this scanner does not have; the text names those it has."""


class ScanProfiles:
    """All of one scanner, the default among them."""

    def __init__(
        self, default: ScanProfile, named: Mapping[str, ScanProfile] | None = None
    ) -> None:
        self._profiles = {"": default, **(named or {})}

    @property
    def most_octets(self) -> int:
        """Of any content that some profile lets in."""
        return max(each.content_octets for each in self._profiles.values())

    def named(self, name: str) -> ScanProfile:
        """Raises UnknownProfile."""
        try:
            return self._profiles[name]
        except KeyError:
            known = ", ".join(sorted(each for each in self._profiles if each)) or "none"
            raise UnknownProfile(f"profiles here: {known}") from None
