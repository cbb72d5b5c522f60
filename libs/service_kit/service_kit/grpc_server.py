"""A gRPC server that can be watched, balanced and stopped: health, reflection, keepalive.

    server = await start_server(
        settings.listen, settings.tls, readiness,
        {"smtpgated.scan.v1.ScanService": partial(add_ScanServiceServicer_to_server, servicer)},
    )
    await lifecycle.wait_drain()
    await server.stop(lifecycle.drain_remaining_s())

Errors: ``StartError`` when the port cannot be had or the certificates are not in order.
"""

import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from service_kit.addresses import HostPort
from service_kit.errors import StartError
from service_kit.health import HealthService, Readiness
from service_kit.tls import TlsSettings

Register = Callable[[grpc.aio.Server], None]

_HEALTH: Final = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
MiB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Bounds of one server; sizes in octets, times in seconds."""

    largest_message_octets: int = 4 * MiB
    """Received or sent; gRPC's own default for what is received."""
    concurrent_calls: int | None = None
    """More are answered RESOURCE_EXHAUSTED at once."""
    connection_age_s: float | None = None
    """After it a client is asked to connect anew, so that new replicas get their share."""
    connection_age_grace_s: float = 60.0
    """How long calls that are under way may then go on."""
    keepalive_s: float = 30.0
    """How often a silent client is asked whether it is still there."""


class RunningServer:
    """Made by ``start_server``."""

    def __init__(self, server: grpc.aio.Server, health: HealthService, port: int) -> None:
        self._server = server
        self._health = health
        self.port: Final = port

    async def stop(self, grace_s: float) -> None:
        """NOT_SERVING, no new calls; calls under way may end within ``grace_s``, then are cut.

        Streams that never end by themselves are their servicer's to end.
        """
        self._health.close()
        await self._server.stop(grace_s)


async def start_server(
    listen: HostPort,
    tls: TlsSettings | None,
    readiness: Readiness,
    services: Mapping[str, Register],
    options: ServerOptions = ServerOptions(),
    interceptors: Sequence[grpc.aio.ServerInterceptor] = (),
) -> RunningServer:
    """Listen and serve. ``services``: full name of each to what adds it to the server."""
    server = grpc.aio.server(
        options=_arguments(options),
        maximum_concurrent_rpcs=options.concurrent_calls,
        interceptors=tuple(interceptors),
    )
    for register in services.values():
        register(server)
    health = HealthService(readiness, services)
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    reflection.enable_server_reflection((*services, _HEALTH, reflection.SERVICE_NAME), server)
    try:
        port = _bound(server, listen, tls)
    except StartError:
        await server.stop(None)  # a server that is only dropped ends noisily, after its loop
        raise
    await server.start()
    return RunningServer(server, health, port)


def _bound(server: grpc.aio.Server, listen: HostPort, tls: TlsSettings | None) -> int:
    credentials = tls.server_credentials() if tls is not None else None
    try:
        if credentials is not None:
            port = server.add_secure_port(str(listen), credentials)
        else:
            port = server.add_insecure_port(str(listen))
    except RuntimeError:
        port = 0
    if port == 0:
        raise StartError(f"cannot listen on {listen} for gRPC: {_why_not(listen)}")
    return port


def _why_not(listen: HostPort) -> str:
    """gRPC says only that it could not; the plain socket call says why."""
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            listen.host, listen.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
            probe.listen()
    except OSError as wrong:
        return wrong.strerror or str(wrong)
    return "the address is not available"


def _arguments(options: ServerOptions) -> list[tuple[str, int]]:
    arguments = [
        # Off, or a second process on the same port would silently take half the calls.
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", options.largest_message_octets),
        ("grpc.max_send_message_length", options.largest_message_octets),
        ("grpc.keepalive_time_ms", round(options.keepalive_s * 1000)),
        ("grpc.keepalive_timeout_ms", 10_000),
        # Our clients ping idle connections every 20 s (grpc_channels); without these two
        # lines the server would answer with GOAWAY "too many pings".
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ]
    if options.connection_age_s is not None:
        arguments += [
            ("grpc.max_connection_age_ms", round(options.connection_age_s * 1000)),
            ("grpc.max_connection_age_grace_ms", round(options.connection_age_grace_s * 1000)),
        ]
    return arguments
