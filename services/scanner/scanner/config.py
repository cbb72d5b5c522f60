"""The scanner's configuration: one TOML file, every key with its default beside it here."""

from typing import Annotated

from pydantic import Field, model_validator

from scanner.cache.settings import CacheSettings
from scanner.core.scan_profile import ScanProfile, ScanProfiles
from scanner.engines.registry import EngineTables
from scanner.engines.settings import Octets, Seconds
from scanner.signatures.settings import SignatureSettings
from service_kit.addresses import HostPort
from service_kit.config import Settings
from service_kit.logs import LogSettings
from service_kit.tls import TlsSettings

_MiB = 1024 * 1024


class ListenSettings(Settings):
    address: HostPort = HostPort("127.0.0.1", 50051)
    """Where edges call (gRPC)."""
    connection_age_s: Seconds = 30.0
    """After it an edge is asked to connect anew (gRPC varies it by a tenth): then it looks all
    replicas up again, and one that was added gets its share."""


class MetricsSettings(Settings):
    listen: HostPort
    """Where /metrics, /healthz and /readyz are served; no [metrics]: nowhere."""


class LimitSettings(Settings):
    concurrent_scans: Annotated[int, Field(ge=1, le=100_000)] = 256
    """Scans admitted at the same time, from their first octet to the verdict."""
    content_octets: Octets = 64 * _MiB
    """Of one content; what is longer is not scanned: the verdict says so."""
    held_octets: Annotated[int, Field(ge=1)] = 512 * _MiB
    """Of all contents together."""
    shed_spam_at: Annotated[float, Field(gt=0, le=1)] = 0.75
    """Share of ``concurrent_scans`` or ``held_octets`` in use from which engines that judge spam
    alone are not asked; 1: never."""
    scan_deadline_s: Seconds = 50.0
    """From the end of the content to the verdict; the caller's deadline may be nearer."""
    receive_deadline_s: Seconds = 3600.0
    """For a content to arrive: the sender's line sets the pace, and senders can be slow."""
    drain_deadline_s: Seconds = 60.0
    """After SIGTERM: for the scans that are under way."""

    @model_validator(mode="after")
    def _one_content_fits(self) -> "LimitSettings":
        if self.held_octets < 2 * self.content_octets:
            raise ValueError("held_octets must be at least twice content_octets")
        return self


class SpamSettings(Settings):
    suspect_at: Annotated[float, Field(ge=-1000, le=10_000)] = 5.0
    """Spam score from which content is suspect."""


class ProfileSettings(Settings):
    engines: Annotated[tuple[str, ...] | None, Field(min_length=1)] = None
    """Names of the engines that are asked; not given: every one."""
    suspect_at: Annotated[float, Field(ge=-1000, le=10_000)] | None = None
    """Spam score from which content is suspect; not given: that of [spam]."""
    content_octets: Octets | None = None
    """Of one content; not given: that of [limits], which bounds it."""


class PanelSettings(Settings):
    stop_at_virus: bool = True
    """Whether the other engines are called off when one has found a virus."""


class ScannerSettings(Settings):
    engines: EngineTables
    """[engines.NAME] turns an engine on; one at least."""
    listen: ListenSettings = ListenSettings()
    metrics: MetricsSettings | None = None
    log: LogSettings = LogSettings()
    tls: TlsSettings | None = None
    """Mutual TLS; without it calls are plaintext."""
    limits: LimitSettings = LimitSettings()
    spam: SpamSettings = SpamSettings()
    panel: PanelSettings = PanelSettings()
    signatures: SignatureSettings = SignatureSettings()
    cache: CacheSettings | None = None
    """Without [cache] nothing is remembered, and every engine is given all of every content."""
    profiles: dict[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")], ProfileSettings] = (
        Field(default_factory=dict)
    )
    """[profiles.NAME]: another way of scanning, for messages whose rulebook names it."""

    @model_validator(mode="after")
    def _profiles_ask_whom_we_have(self) -> "ScannerSettings":
        configured = {name for name, table in self.engines if table is not None}
        for name, profile in self.profiles.items():
            unknown = set(profile.engines or ()) - configured
            if unknown:
                raise ValueError(
                    f"profiles.{name}.engines = {sorted(unknown)}: should be configured engines, "
                    f"of {', '.join(sorted(configured))}"
                )
            if (profile.content_octets or 0) > self.limits.content_octets:
                raise ValueError(
                    f"profiles.{name}.content_octets = {profile.content_octets}: should be at most"
                    f" limits.content_octets = {self.limits.content_octets}"
                )
        return self

    def scan_profiles(self) -> ScanProfiles:
        default = ScanProfile(self.spam.suspect_at, self.limits.content_octets)
        return ScanProfiles(
            default,
            {
                name: ScanProfile(
                    default.suspect_at if each.suspect_at is None else each.suspect_at,
                    each.content_octets or default.content_octets,
                    None if each.engines is None else frozenset(each.engines),
                )
                for name, each in self.profiles.items()
            },
        )
