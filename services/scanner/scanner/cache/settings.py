"""[cache]: whether verdicts are remembered, where, and for how long."""

from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from scanner.cache.memory import Memory
from scanner.cache.recall import Recall
from scanner.cache.redis_link import RedisLink
from scanner.cache.shared import InRedis, NobodyElse, Shared
from scanner.core.cache_life import Lives
from service_kit.config import Settings, read_secret

_SCHEMES = ("redis", "rediss", "unix")
_DAY_S = 86_400.0
Life = Annotated[float, Field(ge=1, le=_DAY_S)]
_LIVES = Lives()


def sound_url(url: str) -> str:
    """Of a Redis, without a password. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES or not url.startswith(f"{parts.scheme}://"):
        raise ValueError(f"must begin with {', '.join(f'{each}://' for each in _SCHEMES)}")
    if parts.password or "password=" in parts.query:
        raise ValueError("a password belongs into a file: name it as url_file")
    return url


class CacheSettings(Settings):
    url: str | None = None
    """What the replicas of a farm share: redis://host:port/db, rediss:// for TLS, or unix:///path.
    No password in it. Not given, nor ``url_file``: each replica remembers for itself."""
    url_file: Path | None = None
    """A file with the URL, for one with a password; used instead of ``url``."""
    farm: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] = "default"
    """Replicas with the same name share verdicts: their engines must be configured alike."""
    deadline_s: Annotated[float, Field(gt=0, le=10)] = 0.05
    """How long one call to Redis may take; beyond it the engine is asked."""
    entries: Annotated[int, Field(ge=1, le=10_000_000)] = 10_000
    """Verdicts each replica remembers itself, some hundred octets each; 8 KiB at the very most."""
    virus_life_s: Life = _LIVES.virus_s
    """Of what an engine states about viruses that tells which signatures it has; never longer than
    it has had them."""
    unversioned_life_s: Life = _LIVES.unversioned_s
    """Of what one states that does not tell, or one of whose daemons is away."""
    spam_life_s: Life = _LIVES.spam_s
    """Of what an engine states about spam."""
    claim_s: Annotated[float, Field(gt=0, le=600)] = 5.0
    """How long a replica that is asking an engine is waited for by the others, at most."""

    @field_validator("url")
    @classmethod
    def _sound(cls, url: str | None) -> str | None:
        return url if url is None else sound_url(url)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.url is not None and self.url_file is not None:
            raise ValueError("give url or url_file, not both")
        return self

    def open(self) -> Recall:
        """In a running loop. Raises ConfigError when the file of the URL cannot be read."""
        lives = Lives(self.virus_life_s, self.unversioned_life_s, self.spam_life_s)
        return Recall(Memory(self.entries), self._shared(), lives, self.claim_s)

    def _shared(self) -> Shared:
        url = read_secret(self.url_file, "[cache] url_file") if self.url_file else self.url
        return NobodyElse() if url is None else InRedis(RedisLink(url, self.deadline_s), self.farm)
