"""Every engine there is: a new one is its file, and one line here.

``[engines.NAME]`` in the configuration turns it on; an engine that is not named is off.
"""

from pydantic import model_validator

from scanner.engines.clamd import ClamdSettings
from scanner.engines.mksd import MksdSettings
from scanner.engines.rspamd import RspamdSettings
from scanner.engines.settings import EngineSettings
from scanner.engines.spamd import SpamdSettings
from scanner.engines.yara import YaraSettings
from scanner.ports import Engine
from service_kit.config import Settings


class EngineTables(Settings):
    clamd: ClamdSettings | None = None
    mksd: MksdSettings | None = None
    spamd: SpamdSettings | None = None
    rspamd: RspamdSettings | None = None
    yara: YaraSettings | None = None

    @model_validator(mode="after")
    def _somebody_judges(self) -> "EngineTables":
        if not self._tables():
            known = ", ".join(f"[engines.{name}]" for name in type(self).model_fields)
            raise ValueError(f"no engine is configured; at least one of {known} must be there")
        return self

    def open(self) -> tuple[Engine, ...]:
        """Those that are configured, not started yet."""
        return tuple(table.open() for table in self._tables())

    def _tables(self) -> list[EngineSettings]:
        return [table for _, table in self if isinstance(table, EngineSettings)]
