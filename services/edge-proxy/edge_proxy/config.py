"""The edge's configuration: ``edge-proxy check-config`` says what is in force."""

import socket
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from edge_proxy.address_privacy import EdgeLogSettings
from edge_proxy.destination_settings import DestinationSettings
from edge_proxy.events.settings import EventSettings
from edge_proxy.router_settings import RouterSettings
from edge_proxy.smtp_settings import SmtpSettings, TraceSettings
from service_kit.addresses import HostPort
from service_kit.config import Settings
from service_kit.tls import TlsSettings

LONGEST_PATH: Final = 103
"""Octets of a UNIX socket's path on every platform we run on (unix(7))."""


class ListenSettings(Settings):
    addresses: tuple[HostPort, ...] = Field(default=(HostPort("127.0.0.1", 2525),), min_length=1)
    """Where intercepted connections arrive; ``[::]:2525`` takes both families."""
    backlog: int = Field(default=1024, ge=1, le=65_535)
    """Connections the kernel holds before they are accepted."""
    handover: Path | None = None
    """UNIX socket over which a new edge takes the listening sockets over from this one."""
    handover_deadline_s: float = Field(default=600.0, ge=0, le=86_400)
    """After a handover: seconds until the old edge cuts what still runs, TLS tunnels included."""

    @field_validator("handover")
    @classmethod
    def _handover_is_a_socket_path(cls, path: Path | None) -> Path | None:
        if path is not None and not (path.is_absolute() and len(bytes(path)) <= LONGEST_PATH):
            raise ValueError(f"must be an absolute path of at most {LONGEST_PATH} octets")
        return path

    @model_validator(mode="after")
    def _handover_needs_known_ports(self) -> Self:
        if self.handover is not None and any(each.port == 0 for each in self.addresses):
            raise ValueError("handover needs a port in each of addresses, not 0")
        return self


class ScannerSettings(Settings):
    target: str = Field(default="127.0.0.1:50051", min_length=1)
    """gRPC name of the scanners: ``host:port`` or ``dns:///name:port`` for all replicas."""
    peer_name: str = ""
    """The name expected in the scanners' certificates; empty: as ``[tls] peer_name`` says."""
    deadline_s: float = Field(default=60.0, gt=0, le=240)
    """From the end of content to the verdict; stays below the server's 5 minutes."""
    inline_octets: int = Field(default=262_144, ge=1024, le=524_288)
    """Content up to this size travels in one call, larger content as a stream."""


class PolicySettings(Settings):
    target: str = Field(default="127.0.0.1:50052", min_length=1)
    """gRPC name of the policy service."""
    peer_name: str = ""
    """The name expected in policy's certificate; empty: as ``[tls] peer_name`` says."""
    patience_ms: int = Field(default=1000, ge=10, le=20_000)
    """How long a session waits for policy's decision; then the edge's own limits decide."""
    stance: Literal["open", "closed"] = "closed"
    """While policy was never seen since the start. closed: 421; open: default rulebook."""


class MetricsSettings(Settings):
    listen: HostPort
    """Where /metrics, /healthz and /readyz are served."""


class ReplySettings(Settings):
    name: str = Field(default="", max_length=255, pattern=r"^[A-Za-z0-9.\-]*$")
    """Host name in replies of our own; empty: none is told."""


class LimitSettings(Settings):
    sessions: int = Field(default=5000, ge=1)
    """Concurrent sessions of one worker; beyond: 421 at accept."""
    load_average: float = Field(default=0.0, ge=0)
    """The machine's 1-minute load average above which new sessions get 421; 0: off."""
    loop_lag_ms: int = Field(default=2000, ge=0)
    """Milliseconds a worker comes late to its work, above which new sessions get 421; 0: off."""
    skip_spam_load_average: float = Field(default=0.0, ge=0)
    """The 1-minute load average above which new messages are not scanned for spam; 0: off."""
    skip_spam_loop_lag_ms: int = Field(default=0, ge=0)
    """Milliseconds of lateness above which new messages are not scanned for spam; 0: off."""


class TunnelSettings(Settings):
    require_tls: bool = True
    """Cut a tunnel in which octets pass that cannot be TLS; false: let them, and count such."""
    idle_s: float = Field(default=600.0, gt=0, le=86_400)
    """Seconds without an octet either way before a tunnel is cut."""
    duration_s: float = Field(default=0.0, ge=0, le=604_800)
    """Seconds a tunnel may last; 0: as long as it likes."""
    octets: int = Field(default=0, ge=0)
    """Octets of both ways together before a tunnel is cut; 0: no limit."""


class EdgeSettings(Settings):
    edge_id: str = Field(default_factory=socket.gethostname, min_length=1, max_length=128)
    """Name of this edge in the farm."""
    workers: int = Field(default=1, ge=1, le=256)
    """Processes that accept from the same listening sockets; one a core is right."""
    drain_deadline_s: float = Field(default=25.0, ge=0, le=3600)
    """After SIGTERM: seconds until what still runs is cut, TLS tunnels included."""
    drain_patience_s: float = Field(default=2.0, ge=0, le=60)
    """After SIGTERM or a handover: seconds a session may take to begin its first message."""
    listen: ListenSettings = ListenSettings()
    destination: DestinationSettings
    router: RouterSettings = RouterSettings()
    scanner: ScannerSettings = ScannerSettings()
    policy: PolicySettings = PolicySettings()
    limits: LimitSettings = LimitSettings()
    tunnel: TunnelSettings = TunnelSettings()
    smtp: SmtpSettings = SmtpSettings()
    trace: TraceSettings = TraceSettings()
    replies: ReplySettings = ReplySettings()
    metrics: MetricsSettings | None = None
    events: EventSettings = EventSettings()
    log: EdgeLogSettings = EdgeLogSettings()
    tls: TlsSettings | None = None

    @model_validator(mode="after")
    def _destination_is_elsewhere(self) -> Self:
        server = self.destination.server
        if server and any(_reaches(server, each) for each in self.listen.addresses):
            raise ValueError(f"destination.server = {server} is where this edge itself listens")
        return self

    @model_validator(mode="after")
    def _router_fits_the_mode(self) -> Self:
        router, mode = self.router, self.destination.mode
        if router.fail_open and mode != "tproxy":
            raise ValueError(f"router.fail_open is for mode tproxy; mode {mode} cannot fail open")
        if router.own_connections and mode not in ("fixed", "redirect"):
            raise ValueError(f"router.own_connections is for fixed and redirect, not for {mode}")
        if router.own_connections and not (router.exempt_users or self.destination.outgoing_mark):
            raise ValueError(
                "router.own_connections would bring the edge's connections back to it: name its "
                "user in router.exempt_users, or set destination.outgoing_mark"
            )
        if self.destination.outgoing_mark == router.mark:
            raise ValueError(f"destination.outgoing_mark = {router.mark} is router.mark too")
        return self


_EVERY_ADDRESS: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared, not bound
_OURS: Final = frozenset({"127.0.0.1", "::1", "localhost"}) | _EVERY_ADDRESS


def _reaches(server: HostPort, listening: HostPort) -> bool:
    """Whether connecting to ``server`` comes back to ``listening``, as far as names can tell."""
    if server.port != listening.port:
        return False
    return server.host == listening.host or (
        listening.host in _EVERY_ADDRESS and server.host in _OURS
    )
