"""YARA-X: viruses and spam by rules, on the content and on every part inside it.

Embedded: no server, no signature database, rules of one's own. It sees MIME parts decoded and
zip members unpacked (``core/mime_parts``), within bounds; when a bound is reached before a
virus was found, nobody can say that there is none: UNFINISHED.

Errors: EngineFailure; StartError when the rules cannot be used.
"""

from collections.abc import Iterable
from importlib import metadata
from typing import Annotated, Final

from pydantic import Field

from scanner.core.budget import Limits
from scanner.core.content import Content
from scanner.core.profile import EngineVersion, LooksAt
from scanner.core.verdict import Statement
from scanner.core.yara_wire import Answer, RuleMatch
from scanner.engines.settings import Count, EngineSettings, Octets, Seconds
from scanner.engines.yara_live import LiveRules
from scanner.engines.yara_rules import SPAM, VIRUS
from scanner.engines.yara_sources import BUILTIN, RuleTexts
from scanner.engines.yara_workers import Workers
from scanner.ports import EngineFailure, FailureReason, ScanContext
from smtpgated_contracts.values.scan import EngineClass, VerdictKind

NAME: Final = "yara"
_LIMITS: Final = Limits()


class YaraSettings(EngineSettings):
    rules: Annotated[tuple[str, ...], Field(min_length=1)] = (BUILTIN,)
    """Paths of rule files, or of folders of *.yar and *.yara files; "builtin" stands for the rules
    that come with the scanner. They are loaded anew when they change."""
    rules_every_s: Seconds = 5.0
    """Seconds between looks for changed rules; a change is in force after two of them."""
    workers: Count = 2
    """Processes, and so contents looked at at the same time. One a core is enough."""
    deadline_s: Annotated[float, Field(gt=0, le=3600)] = 10.0
    max_octets: Octets = 64 * 1024 * 1024
    max_depth: Count = _LIMITS.depth
    """Levels of parts in parts."""
    max_parts: Annotated[int, Field(ge=1)] = _LIMITS.parts
    """Parts and members of one content, over all levels."""
    max_decoded_octets: Octets = _LIMITS.octets
    """Octets that decoding and unpacking one content may make; a worker holds that much."""

    def open(self) -> "YaraEngine":
        return YaraEngine(self)


class YaraEngine:
    def __init__(self, settings: YaraSettings) -> None:
        limits = settings.max_depth, settings.max_parts, settings.max_decoded_octets
        arguments = tuple(map(str, limits))
        self._every_s = settings.rules_every_s
        self.profile: Final = settings.profile(
            NAME,
            EngineClass.VIRUS,
            EngineClass.SPAM,
            looks_at=LooksAt.CONTENT,
            variant=" ".join(arguments),
        )

        def workers(rules: RuleTexts) -> Workers:
            return Workers(arguments, rules, settings.workers)

        self.rules: Final = LiveRules(settings.rules, workers, settings.deadline_s)

    async def start(self) -> None:
        await self.rules.start(self._every_s)

    async def scan(
        self, content: Content, _context: ScanContext, deadline: float
    ) -> tuple[Statement, ...]:
        answer = await self.rules.workers.ask(content, deadline)
        statements = _virus(answer), _spam(answer)
        if answer.unfinished and statements[0].kind is VerdictKind.CLEAN:
            raise EngineFailure(FailureReason.UNFINISHED, answer.unfinished, statements)
        return statements

    async def version(self) -> EngineVersion:
        workers = self.rules.workers
        if not workers.alive:
            raise EngineFailure(FailureReason.UNREACHABLE, "no worker process is alive")
        return EngineVersion(
            f"YARA-X {metadata.version('yara-x')}, {workers.rules} rules",
            edition=workers.edition,
            refused=self.rules.refused,
        )

    async def aclose(self) -> None:
        await self.rules.aclose()


def _virus(answer: Answer) -> Statement:
    names = _names(match for match in answer.matches if match.judges == VIRUS)
    return Statement(EngineClass.VIRUS, VerdictKind.INFECTED if names else VerdictKind.CLEAN, names)


def _spam(answer: Answer) -> Statement:
    matches = [match for match in answer.matches if match.judges == SPAM]
    score = sum(match.score for match in matches)
    return Statement(EngineClass.SPAM, name=_names(matches), score=score)


def _names(matches: Iterable[RuleMatch]) -> str:
    return ",".join(match.rule for match in matches)
