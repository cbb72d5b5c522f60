"""[signatures]: when they are too old, and how new ones come into force."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from scanner.cache.redis_link import RedisLink
from scanner.cache.settings import sound_url
from scanner.signatures.farm import Alone, Farm, InRedis
from scanner.signatures.folder import Folder
from service_kit.config import Settings, read_secret

Seconds = Annotated[float, Field(gt=0, le=3600)]


class SignatureSettings(Settings):
    stale_after_s: Annotated[float, Field(gt=0)] = 3 * 24 * 3600.0
    """Age in seconds from which an engine's signature database is stale: told, counted, shown at
    /readyz, and no reason to stay away. ClamAV publishes one a day."""
    database_folder: Path | None = None
    """The folder clamd loads and freshclam fills, readable here. When there is something new in it,
    clamd is told to reload, one daemon at a time; without it only SIGHUP does that."""
    look_every_s: Seconds = 10.0
    """Seconds between looks into it; a change is acted upon at the second look."""
    url: str | None = None
    """The Redis in which replicas take turns: redis://host:port/db, rediss:// for TLS, or
    unix:///path. No password in it. Not given, nor ``url_file``: only the daemons of this scanner
    take turns."""
    url_file: Path | None = None
    """A file with the URL, for one with a password; used instead of ``url``."""
    deadline_s: Annotated[float, Field(gt=0, le=10)] = 1.0
    """How long one call to Redis may take."""
    group: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] = "default"
    """Replicas with the same name take turns."""
    others_serving: Annotated[int, Field(ge=0, le=1000)] = 1
    """Other replicas of the group that must be serving before this one stops to, for its only
    daemon's reload; 0: it reloads in any case."""
    drain_s: Annotated[float, Field(ge=0, le=600)] = 10.0
    """Seconds the scans under way with a daemon get to finish before it reloads. It goes on with
    them while it reloads, unless its ConcurrentDatabaseReload is off."""
    reload_deadline_s: Annotated[float, Field(gt=0, le=3600)] = 300.0
    """Seconds a daemon gets to load and to prove it: on small machines a minute is usual."""

    @field_validator("url")
    @classmethod
    def _sound(cls, url: str | None) -> str | None:
        return url if url is None else sound_url(url)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.url is not None and self.url_file is not None:
            raise ValueError("give url or url_file, not both")
        return self

    def open_farm(self) -> Farm:
        """Raises ConfigError when the file of the URL cannot be read."""
        url = read_secret(self.url_file, "[signatures] url_file") if self.url_file else self.url
        return Alone() if url is None else InRedis(RedisLink(url, self.deadline_s), self.group)

    def open_folder(self) -> Folder | None:
        return None if self.database_folder is None else Folder(self.database_folder)
