"""policy.toml as a frozen value. ``policy check-config -c FILE`` says what is wrong with it."""

from ipaddress import ip_address
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from policy.core.leases import LEASE_S
from service_kit.addresses import HostPort
from service_kit.config import Settings, read_secret
from service_kit.logs import LogSettings
from service_kit.tls import TlsSettings

_SCHEMES = ("redis", "rediss", "unix")


class ListenSettings(Settings):
    address: HostPort = HostPort("127.0.0.1", 50052)
    """Where edges reach us, gRPC."""


class AdminSettings(Settings):
    serve: bool = True
    """False: not here. So the API can have a process of its own: one replica more, which no edge
    is told of, beside those that edges ask."""
    listen: HostPort = HostPort("127.0.0.1", 8080)
    """The REST API and the status page. Plain HTTP: loopback, or behind your TLS proxy."""
    token_file: Path = Path(".run/admin-token")
    """One bearer token a line; the file must be readable by its owner alone."""
    metrics_open: bool = False
    """Whether /metrics here answers without a token."""


class MetricsSettings(Settings):
    listen: HostPort | None = None
    """/metrics, /healthz and /readyz without a token, for a network of their own."""


class RedisSettings(Settings):
    url: str = "redis://127.0.0.1:6379/0"
    """redis://host:port/db, rediss:// for TLS, or unix:///path. No password in it."""
    url_file: Path | None = None
    """A file with the URL, for one with a password; used instead of ``url``."""
    sentinels: tuple[HostPort, ...] = ()
    """Sentinels that know the master; ``url`` then says how to connect to it, not where it is."""
    service: str = Field(default="mymaster", min_length=1)
    """What the Sentinels call that master."""
    sentinel_password_file: Path | None = None
    """A file with the Sentinels' own password, if they have one."""
    cluster: tuple[HostPort, ...] = ()
    """Some nodes of a cluster, best all; ``url`` then says how to connect to them, not where."""
    farm: str = Field(default="default", pattern=r"^[A-Za-z0-9_-]{1,64}$")
    """Names this farm's keys; farms that share a Redis need different names."""
    deadline_s: float = Field(default=0.25, gt=0, le=10)
    """How long one call may take. Beyond it Redis counts as away."""
    lease_s: float = Field(default=LEASE_S, gt=0, le=3600)
    """How long a session's slot holds without renewal; edges renew every 10 s or so."""
    required_at_start: bool = False
    """True: do not start without Redis. False: start, not ready, and go on trying."""
    away_share: float = Field(default=0.5, gt=0, le=1)
    """The part of each limit that one replica gives away alone while Redis is away."""

    @field_validator("url")
    @classmethod
    def _sound(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in _SCHEMES or not url.startswith(f"{parts.scheme}://"):
            raise ValueError(f"must begin with {', '.join(f'{each}://' for each in _SCHEMES)}")
        if parts.password or "password=" in parts.query:
            raise ValueError("a password belongs into a file: name it as url_file")
        return url

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.url_file is not None and "url" in self.model_fields_set:
            raise ValueError("give url or url_file, not both")
        if self.sentinels and self.cluster:
            raise ValueError("give sentinels or cluster, not both")
        if (self.sentinels or self.cluster) and urlsplit(self.url).scheme == "unix":
            raise ValueError(
                "unix:// is one socket: sentinels and cluster need redis:// or rediss://"
            )
        return self

    def secret_url(self) -> str:
        """The URL to connect to. Raises ConfigError when the file cannot be read."""
        if self.url_file is None:
            return self.url
        return read_secret(self.url_file, "[redis] url_file")


class DnsSettings(Settings):
    servers: tuple[HostPort, ...] = ()
    """Recursive resolvers, by IP address; none given: those of /etc/resolv.conf at the start."""
    deadline_s: float = Field(default=5.0, gt=0, le=60)
    """How long SPF or DNSBLs of one question may take; an edge's patience may be shorter."""
    try_s: float = Field(default=1.0, gt=0, le=60)
    """How long one server is waited for before the next one is asked."""
    cache_mib: int = Field(default=32, ge=1, le=4096)
    """Answers kept at most, in MiB; each until its TTL, an hour at most."""
    lookups: int = Field(default=1000, ge=1, le=100_000)
    """Lookups under way at the same time; beyond it one fails at once."""

    @field_validator("servers")
    @classmethod
    def _addresses(cls, servers: tuple[HostPort, ...]) -> tuple[HostPort, ...]:
        for server in servers:
            try:
                ip_address(server.host)
            except ValueError:
                raise ValueError(f"{server} names no IP address, such as 192.0.2.53:53") from None
        return servers


class RulebookSettings(Settings):
    file: Path | None = None
    """The first rulebook, for a store that has none; without it the built-in default."""


class DecisionSettings(Settings):
    admitted: bool = True
    """Keep plain admissions, too. False: only what was refused, deferred, or spoken of by rules."""
    kept: int = Field(default=100_000, ge=0, le=10_000_000)
    """How many decisions Redis keeps for people to look at, about; half a KiB each."""


class PolicySettings(Settings):
    listen: ListenSettings = ListenSettings()
    admin: AdminSettings = AdminSettings()
    metrics: MetricsSettings = MetricsSettings()
    redis: RedisSettings = RedisSettings()
    dns: DnsSettings = DnsSettings()
    rulebook: RulebookSettings = RulebookSettings()
    decisions: DecisionSettings = DecisionSettings()
    state_dir: Path | None = None
    """Where copies of rulebook, locks, exemptions and identities are kept, for an empty Redis."""
    log: LogSettings = LogSettings()
    tls: TlsSettings | None = None
