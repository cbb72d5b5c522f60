"""What the scanner counts. The sentences are those of the README's table."""

from enum import Enum
from typing import Final

from scanner.engines.registry import EngineTables
from scanner.ports import FailureReason, ReloadOutcome
from service_kit.failures import FailureKind
from service_kit.metrics import counter, gauge, histogram
from smtpgated_contracts.values.scan import VerdictKind


class Refusal(Enum):
    """Why a scan was not admitted."""

    SCANS = "too many scans at the same time"
    OCTETS = "too much content held"


class EngineResult(Enum):
    """How asking an engine ended."""

    CLEAN = "nothing found"
    FOUND = "something found"
    FAILED = "no answer that counts"
    CALLED_OFF = "another engine had found a virus, or the caller went away"


class CacheSource(Enum):
    """Where an engine's answer came from."""

    HERE = "this replica had asked before"
    FARM = "another replica had asked, or was asking"
    FOLLOWED = "this replica was asking already"
    ASKED = "the engine"
    UNKEPT = "the engine; its answers are not remembered, or nobody knows its version"


# One member a line of the registry; the functional form is what a registry can be turned into.
EngineName = Enum(  # type: ignore[misc]  # mypy wants the members written out
    "EngineName", {name.upper(): name for name in EngineTables.model_fields}
)

SCANS: Final = counter("scanner_scans", "Scans by verdict.", verdict=VerdictKind)
IN_FLIGHT: Final = gauge("scanner_scans_in_flight", "Scans admitted and not answered yet.")
HELD_OCTETS: Final = gauge("scanner_held_octets", "Octets of content held in memory now.")
SCANNED_OCTETS: Final = counter("scanner_scanned_octets", "Octets of content judged.")
REFUSED: Final = counter("scanner_refused", "Scans not admitted, by the bound.", bound=Refusal)
SPARED: Final = counter(
    "scanner_spared",
    "Contents an engine for spam was not asked about, because there was too much to do.",
    engine=EngineName,
)

ENGINE_SECONDS: Final = histogram(
    "scanner_engine_seconds",
    "Seconds an engine took for one content, waiting for a free connection included.",
    engine=EngineName,
    result=EngineResult,
)
ENGINE_FAILURES: Final = counter(
    "scanner_engine_failures",
    "Contents an engine did not judge, by reason.",
    engine=EngineName,
    reason=FailureReason,
)
ENGINE_UP: Final = gauge(
    "scanner_engine_up",
    "1 when the engine answered when it was last asked for its version, else 0.",
    combined="livemin",
    engine=EngineName,
)
DAEMONS_AWAY: Final = gauge(
    "scanner_engine_daemons_away",
    "Daemons of the engine that did not answer when they were last asked for their version.",
    combined="livemax",
    engine=EngineName,
)
SIGNATURES: Final = gauge(
    "scanner_signatures_version",
    "Number of the engine's signature database; 0 when it does not tell.",
    combined="livemin",
    engine=EngineName,
)
SIGNATURES_MADE: Final = gauge(
    "scanner_signatures_made_timestamp_seconds",
    "When that database was made, Unix time; 0 when the engine does not tell.",
    combined="livemin",
    engine=EngineName,
)
SIGNATURES_STALE: Final = gauge(
    "scanner_signatures_stale",
    "1 while that database is older than [signatures] stale_after_s, else 0.",
    combined="livemax",
    engine=EngineName,
)
RELOADS: Final = counter(
    "scanner_signatures_reloads",
    "Daemons that were told to reload, by outcome.",
    outcome=ReloadOutcome,
)
DAEMONS_OUT: Final = gauge(
    "scanner_signatures_daemons_out",
    "Daemons out of choice now: while they reload, or because they cannot be trusted.",
)
SIGNATURES_REFUSED: Final = gauge(
    "scanner_signatures_refused",
    "1 while newer rules or signatures are there that cannot be used, else 0.",
    combined="livemax",
    engine=EngineName,
)

CACHE_ANSWERS: Final = counter(
    "scanner_cache_answers",
    "Answers of engines by where they came from, with [cache].",
    engine=EngineName,
    source=CacheSource,
)
CACHE_ENTRIES: Final = gauge("scanner_cache_entries", "Answers this replica remembers now.")
CACHE_SHARED_UP: Final = gauge(
    "scanner_cache_shared_up",
    "1 while the farm's verdict cache answers, else 0; 0 too when there is none.",
    combined="livemin",
)
CACHE_SHARED_FAILURES: Final = counter(
    "scanner_cache_shared_failures",
    "Calls to the farm's verdict cache that brought nothing, by kind of failure.",
    kind=FailureKind,
)
CACHE_NONSENSE: Final = counter(
    "scanner_cache_nonsense", "Values in the farm's verdict cache that were not ours."
)
