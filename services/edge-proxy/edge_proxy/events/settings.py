"""``[events]``: which program is run for events, for which of them, and within which bounds."""

import os
from pathlib import Path

from pydantic import Field, field_validator

from edge_proxy.events.names import EventGroup
from service_kit.config import Settings


class EventSettings(Settings):
    script: Path | None = None
    """Program run for events, with smtp-gated's arguments and environment; none: no events."""
    on: tuple[EventGroup, ...] = tuple(
        each for each in EventGroup if each not in (EventGroup.LOCK, EventGroup.RULE)
    )
    """Events it is run for; lock and rule are as many as the rulebook makes them."""
    timeout_s: float = Field(default=60.0, gt=0, le=3600)
    """Seconds a run may take before its process group is killed."""
    concurrent: int = Field(default=4, ge=1, le=256)
    """Runs at the same time, of one worker."""
    queue: int = Field(default=1000, ge=0, le=100_000)
    """Events that wait for a run; beyond, they are dropped and counted."""

    @field_validator("script")
    @classmethod
    def _script_can_be_run(cls, script: Path | None) -> Path | None:
        if script is None:
            return None
        if not script.is_absolute():
            raise ValueError("must be an absolute path")
        if not (script.is_file() and os.access(script, os.X_OK)):
            raise ValueError("must be an executable file")
        return script
