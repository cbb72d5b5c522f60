"""How a service reaches another: one channel over all its replicas, found again quickly.

Round robin over every address the name has; a replica that comes back is used within two
seconds, one that is added within five; a peer that vanished without a word is noticed by
keepalive. Deadlines and wait_for_ready are the caller's, with each call.
Errors: ``StartError`` for certificates; an unreachable peer is no error here but of the calls.
"""

import json
from typing import Final

import grpc.aio

from service_kit.tls import TlsSettings

DEFAULT_LARGEST_MESSAGE_OCTETS: Final = 4 * 1024 * 1024

_SERVICE_CONFIG: Final = json.dumps({"loadBalancingConfig": [{"round_robin": {}}]})
_ARGUMENTS: Final = (
    ("grpc.service_config", _SERVICE_CONFIG),
    # The target's DNS must not be able to overrule the line above.
    ("grpc.service_config_disable_resolution", 1),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    # gRPC's default is 120 s: a farm would not notice for two minutes that policy is back.
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # Default 30 s: so long would a replica that came up stay unknown.
    ("grpc.dns_min_time_between_resolutions_ms", 5_000),
    # Each channel its own connections: two channels to one target are two TCP connections.
    ("grpc.use_local_subchannel_pool", 1),
    # http_proxy in the environment is for other things than a farm's own calls.
    ("grpc.enable_http_proxy", 0),
)


def open_channel(
    target: str,
    tls: TlsSettings | None,
    largest_message_octets: int = DEFAULT_LARGEST_MESSAGE_OCTETS,
    peer_name: str = "",
) -> grpc.aio.Channel:
    """``target``: ``host:port`` or a gRPC name (``dns:///scanner:7001``). Connects when used.

    ``peer_name`` is the name in this peer's certificate, where it is not ``tls.peer_name``.
    """
    arguments: list[tuple[str, str | int]] = [
        *_ARGUMENTS,
        ("grpc.max_receive_message_length", largest_message_octets),
        ("grpc.max_send_message_length", largest_message_octets),
    ]
    if tls is None:
        return grpc.aio.insecure_channel(target, options=arguments)
    expected = peer_name or tls.peer_name
    if expected:
        arguments.append(("grpc.ssl_target_name_override", expected))
    return grpc.aio.secure_channel(target, tls.channel_credentials(), options=arguments)
