"""What a scanner states about one content: findings, and one verdict made of them."""

from dataclasses import dataclass
from enum import StrEnum


class EngineClass(StrEnum):
    """What an engine judges. Each class has a stance of its own when it is absent."""

    VIRUS = "virus"
    SPAM = "spam"


class VerdictKind(StrEnum):
    """The scanner's statement about content, worst last but one.

    UNSCANNED says that nothing bad was found *and* that some class did not answer.
    """

    CLEAN = "clean"
    SUSPECT = "suspect"
    INFECTED = "infected"
    UNSCANNED = "unscanned"


@dataclass(frozen=True, slots=True)
class Finding:
    """One engine's statement. ``score`` is the spam score, 0.0 where there is none."""

    engine: str
    engine_class: EngineClass
    kind: VerdictKind
    name: str = ""
    score: float = 0.0
    spent_ms: int = 0
    version: str = ""
    cached: bool = False

    @property
    def in_words(self) -> str:
        """``clamd virus infected Eicar-Test-1 (ClamAV 1.4.3/27800, 4 ms)``,
        ``spamd spam clean 1.5 HTML_MESSAGE (spamd 1.5, cached, 0 ms)``."""
        score = f" {self.score:g}" if self.engine_class is EngineClass.SPAM else ""
        name = f" {self.name}" if self.name else ""
        origin = self.version or "version unknown"
        cached = ", cached" if self.cached else ""
        said = f"{self.engine} {self.engine_class} {self.kind}{score}{name}"
        return f"{said} ({origin}{cached}, {self.spent_ms} ms)"


@dataclass(frozen=True, slots=True)
class Missing:
    """A class of engines that could not judge, and why (for logs, never for strangers)."""

    engine_class: EngineClass
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """All findings, and the classes that are missing whatever the others found."""

    kind: VerdictKind
    findings: tuple[Finding, ...] = ()
    missing: tuple[Missing, ...] = ()
    spent_ms: int = 0

    @property
    def score(self) -> float:
        """The highest spam score any engine gave, 0.0 when none did."""
        return max((finding.score for finding in self.findings), default=0.0)

    @property
    def names(self) -> tuple[str, ...]:
        """What was found: signature and rule names of everything that is not clean."""
        return tuple(f.name for f in self.findings if f.kind is not VerdictKind.CLEAN and f.name)


def unscanned(reason: str, *classes: EngineClass) -> Verdict:
    """The verdict when nobody judged: every class (or those given) is missing for ``reason``."""
    return Verdict(
        VerdictKind.UNSCANNED,
        missing=tuple(Missing(each, reason) for each in classes or tuple(EngineClass)),
    )
