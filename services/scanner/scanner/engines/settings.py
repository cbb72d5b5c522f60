"""What the configuration of every engine has."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from scanner.core.profile import EngineProfile, LooksAt, Oversize
from scanner.ports import Engine
from service_kit.addresses import UnixOrTcp
from service_kit.config import Settings
from smtpgated_contracts.values.scan import EngineClass

Seconds = Annotated[float, Field(gt=0, le=3600)]
Count = Annotated[int, Field(ge=1, le=10_000)]
Addresses = Annotated[
    tuple[UnixOrTcp, ...],
    BeforeValidator(lambda given: given if isinstance(given, list | tuple) else (given,)),
    Field(min_length=1, max_length=64),
]
"""One address, or a list of them: daemons that do the same."""
Octets = Annotated[int, Field(ge=1, le=1024 * 1024 * 1024)]


class EngineSettings(Settings):
    """Defaults are each engine's own: see its file."""

    deadline_s: Seconds = 30.0
    """Seconds for one scan at most; the scan's own deadline may be nearer."""
    max_octets: Octets
    """Content beyond this is not given to the engine."""
    oversize: Oversize = Oversize.MISSING
    """What content beyond it means: missing (the edge's stance decides) or skip (it passes)."""
    required_at_start: bool = False
    """True: the scanner does not start unless the engine answers."""

    def open(self) -> Engine:
        """The engine, not started yet."""
        raise NotImplementedError

    def profile(
        self,
        name: str,
        *judges: EngineClass,
        looks_at: LooksAt = LooksAt.SESSION,
        variant: str = "",
    ) -> EngineProfile:
        return EngineProfile(
            name,
            frozenset(judges),
            self.max_octets,
            self.deadline_s,
            self.oversize,
            self.required_at_start,
            looks_at,
            variant,
        )


class DaemonSettings(EngineSettings):
    """What engines have besides that are daemons, one or several."""

    address: Addresses
    """Where it listens; a list when several do the same."""
    connections: Count
    """Scans at the same time at most, with each of them."""
    hedge_after_s: Seconds | None = None
    """Seconds after which a second daemon is asked too, and the first answer counts."""
