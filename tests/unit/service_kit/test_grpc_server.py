import asyncio
import socket
from collections.abc import AsyncIterator
from functools import partial

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from service_kit.addresses import HostPort
from service_kit.errors import StartError
from service_kit.grpc_channels import open_channel
from service_kit.grpc_server import RunningServer, ServerOptions, start_server
from service_kit.health import Readiness
from service_kit.tasks import Tasks
from service_kit.tls import TlsSettings
from smtpgated.scan.v1 import scan_pb2, scan_pb2_grpc
from tests.unit.service_kit.conftest import DEADLINE_S, health

_LOOPBACK = HostPort("127.0.0.1", 0)
_SCAN = "smtpgated.scan.v1.ScanService"
_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


class SlowScan(scan_pb2_grpc.ScanServiceServicer):
    """Answers when it is let go."""

    def __init__(self) -> None:
        self.began = asyncio.Event()
        self.let_go = asyncio.Event()

    async def Scan(self, request: scan_pb2.ScanRequest, context: object) -> scan_pb2.Verdict:
        self.began.set()
        await self.let_go.wait()
        return scan_pb2.Verdict(spent_ms=len(request.content))

    async def ScanStream(self, request_iterator: object, context: object) -> scan_pb2.Verdict:
        raise NotImplementedError


@pytest.fixture
def readiness() -> Readiness:
    return Readiness()


@pytest.fixture
def scan() -> SlowScan:
    return SlowScan()


async def _started(
    scan: SlowScan,
    readiness: Readiness,
    tls: TlsSettings | None = None,
    options: ServerOptions = ServerOptions(),  # noqa: B008 - a frozen value
    listen: HostPort = _LOOPBACK,
) -> RunningServer:
    register = partial(scan_pb2_grpc.add_ScanServiceServicer_to_server, scan)
    return await start_server(listen, tls, readiness, {_SCAN: register}, options)


@pytest.fixture
async def server(scan: SlowScan, readiness: Readiness) -> AsyncIterator[RunningServer]:
    running = await _started(scan, readiness)
    yield running
    await running.stop(0)


@pytest.fixture
async def channel(server: RunningServer) -> AsyncIterator[grpc.aio.Channel]:
    async with open_channel(f"127.0.0.1:{server.port}", None) as opened:
        yield opened


def _watch(channel: grpc.aio.Channel, service: str) -> AsyncIterator[int]:
    watch = channel.unary_stream(
        "/grpc.health.v1.Health/Watch",
        request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
        response_deserializer=health_pb2.HealthCheckResponse.FromString,
    )
    call = watch(health_pb2.HealthCheckRequest(service=service), timeout=DEADLINE_S)

    async def states() -> AsyncIterator[int]:
        try:
            async for each in call:
                yield each.status
        finally:
            call.cancel()

    return states()


async def test_health_follows_readiness_for_the_process_and_each_service(
    channel: grpc.aio.Channel, readiness: Readiness
) -> None:
    assert await health(channel, "") == _SERVING
    readiness.set("clamd", ready=False, why="connection refused")
    assert await health(channel, "") == _NOT_SERVING
    assert await health(channel, _SCAN) == _NOT_SERVING
    readiness.set("clamd", ready=True)
    assert await health(channel, _SCAN) == _SERVING


async def test_health_of_a_service_that_is_not_here_is_not_found(
    channel: grpc.aio.Channel,
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await health(channel, "no.such.Service")
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND


async def test_a_watcher_sees_each_change_and_the_end(
    server: RunningServer, channel: grpc.aio.Channel, readiness: Readiness
) -> None:
    states = _watch(channel, _SCAN)
    assert await anext(states) == _SERVING
    readiness.set("clamd", ready=False)
    assert await anext(states) == _NOT_SERVING
    readiness.set("clamd", ready=True)
    assert await anext(states) == _SERVING
    await server.stop(DEADLINE_S)
    assert [each async for each in states] == [_NOT_SERVING]


async def test_a_watcher_of_an_unknown_service_is_told_so(channel: grpc.aio.Channel) -> None:
    assert await anext(_watch(channel, "no.such.Service")) == _UNKNOWN


async def test_reflection_lists_what_is_offered(channel: grpc.aio.Channel) -> None:
    ask = channel.stream_stream(
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    asked = reflection_pb2.ServerReflectionRequest(list_services="")
    answers = [each async for each in ask(iter([asked]), timeout=DEADLINE_S)]
    (listed,) = [each.list_services_response.service for each in answers]
    assert {each.name for each in listed} == {
        _SCAN,
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    }


async def test_a_port_in_use_is_a_sentence(server: RunningServer, scan: SlowScan) -> None:
    taken = HostPort("127.0.0.1", server.port)
    with pytest.raises(StartError, match=f"^cannot listen on {taken} for gRPC: Address already in"):
        await _started(scan, Readiness(), listen=taken)


async def test_a_port_in_use_by_anybody_is_a_sentence(scan: SlowScan) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = HostPort("127.0.0.1", other.getsockname()[1])
        with pytest.raises(StartError, match="Address already in use"):
            await _started(scan, Readiness(), listen=taken)


async def test_an_address_that_is_not_ours_is_a_sentence(scan: SlowScan) -> None:
    with pytest.raises(StartError, match="Cannot assign requested address"):
        await _started(scan, Readiness(), listen=HostPort("192.0.2.1", 0))


async def test_stopping_lets_a_call_end(
    server: RunningServer, channel: grpc.aio.Channel, scan: SlowScan
) -> None:
    stub = scan_pb2_grpc.ScanServiceStub(channel)
    call = stub.Scan(scan_pb2.ScanRequest(content=b"abc"), timeout=DEADLINE_S)
    await scan.began.wait()
    async with Tasks() as running:
        stopping = running.spawn(server.stop(DEADLINE_S), name="stop")
        await asyncio.sleep(0)
        scan.let_go.set()
        assert (await call).spent_ms == 3
        await stopping


async def test_stopping_cuts_a_call_that_outlives_its_grace(
    server: RunningServer, channel: grpc.aio.Channel, scan: SlowScan
) -> None:
    stub = scan_pb2_grpc.ScanServiceStub(channel)
    call = stub.Scan(scan_pb2.ScanRequest(), timeout=DEADLINE_S)
    await scan.began.wait()
    await server.stop(0)
    with pytest.raises(grpc.aio.AioRpcError) as cut:
        await call
    assert cut.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


async def test_a_message_larger_than_the_bound_is_refused(
    readiness: Readiness, scan: SlowScan
) -> None:
    scan.let_go.set()
    running = await _started(scan, readiness, options=ServerOptions(largest_message_octets=1000))
    async with open_channel(f"127.0.0.1:{running.port}", None) as channel:
        stub = scan_pb2_grpc.ScanServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.Scan(scan_pb2.ScanRequest(content=b"x" * 2000), timeout=DEADLINE_S)
    await running.stop(0)
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_more_calls_than_the_bound_are_refused_at_once(
    readiness: Readiness, scan: SlowScan
) -> None:
    running = await _started(scan, readiness, options=ServerOptions(concurrent_calls=1))
    async with open_channel(f"127.0.0.1:{running.port}", None) as channel:
        stub = scan_pb2_grpc.ScanServiceStub(channel)
        first = stub.Scan(scan_pb2.ScanRequest(), timeout=DEADLINE_S)
        await scan.began.wait()
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.Scan(scan_pb2.ScanRequest(), timeout=DEADLINE_S)
        scan.let_go.set()
        await first
    await running.stop(0)
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
