"""What a tunnel that has ended leaves: counts, and its part of the session's line."""

from typing import TypedDict

from edge_proxy import metrics
from edge_proxy.links.tunnel import TunnelRecord
from edge_proxy.metrics import Side
from edge_proxy.relay.facts import CloseCause


class TunnelFacts(TypedDict, total=False):
    """Fields of the session's line. ``tls``: the version, or that it was none."""

    tls: str
    tls_server_name: str
    tls_records_up: int
    tls_records_down: int
    messages_estimated: int
    tunnel_octets_up: int
    tunnel_octets_down: int
    tunnel_s: float


def count(tunnel: TunnelRecord, closed_by: CloseCause) -> None:
    """Once, when its session has ended."""
    metrics.TUNNELS_ENDED(closed_by).inc()
    metrics.TUNNEL_VERSIONS(tunnel.version).inc()
    metrics.TUNNEL_MESSAGES().inc(tunnel.messages)
    metrics.TUNNEL_OCTETS(Side.DOWNSTREAM).inc(tunnel.octets_up)
    metrics.TUNNEL_OCTETS(Side.UPSTREAM).inc(tunnel.octets_down)
    metrics.TUNNEL_RECORDS(Side.DOWNSTREAM).inc(tunnel.records_up)
    metrics.TUNNEL_RECORDS(Side.UPSTREAM).inc(tunnel.records_down)
    if not tunnel.is_tls:
        metrics.NOT_TLS().inc()


def facts(tunnel: TunnelRecord | None) -> TunnelFacts:
    """No field where there was no tunnel."""
    if tunnel is None:
        return TunnelFacts()
    return TunnelFacts(
        tls=tunnel.version.value if tunnel.is_tls else "none",
        tls_server_name=tunnel.server_name,
        tls_records_up=tunnel.records_up,
        tls_records_down=tunnel.records_down,
        messages_estimated=tunnel.messages,
        tunnel_octets_up=tunnel.octets_up,
        tunnel_octets_down=tunnel.octets_down,
        tunnel_s=round(tunnel.spent_s, 3),
    )
