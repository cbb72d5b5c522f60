"""What all sessions of a worker share: bounds, services, and where they are found."""

from collections.abc import Callable
from dataclasses import dataclass

from edge_proxy.journal import Reporting
from edge_proxy.links.open_links import OpenLinks
from edge_proxy.links.tunnel import TunnelLimits
from edge_proxy.ports import LoadState, LockTable, PolicyPort, RunningSession, ScanPort
from edge_proxy.registry import Registry
from edge_proxy.relay.settings import CoreSettings
from service_kit.tasks import Tasks
from smtpgated_contracts.values.mail import SessionRef


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all sessions of a worker share."""

    core: CoreSettings
    connect_timeout_s: float
    policy: PolicyPort
    scanner: ScanPort
    reporting: Reporting
    locks: LockTable
    load: LoadState
    registry: Registry[RunningSession]
    open_links: OpenLinks
    tunnel_limits: TunnelLimits
    tasks: Tasks
    trace: Callable[[SessionRef], bytes] = lambda _session: b""
    content_total_s: float = 0.0
    """Seconds one message may take to arrive; 0: any time."""
