import asyncio
import datetime
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import grpc.aio

from service_kit.addresses import HostPort
from service_kit.grpc_channels import open_channel
from service_kit.grpc_server import RunningServer, start_server
from service_kit.health import Readiness
from service_kit.tls import TlsSettings
from tests.unit.service_kit.conftest import DEADLINE_S, Authority, health

_LOOPBACK = HostPort("127.0.0.1", 0)


@asynccontextmanager
async def _server(
    tls: TlsSettings | None = None,
    listen: HostPort = _LOOPBACK,
    readiness: Readiness | None = None,
) -> AsyncIterator[RunningServer]:
    running = await start_server(listen, tls, readiness or Readiness(), {})
    yield running
    await running.stop(0)


async def _passes(server: TlsSettings, client: TlsSettings | None, peer_name: str = "") -> bool:
    """Whether a call over these certificates gets through."""
    async with (
        _server(server) as running,
        open_channel(f"127.0.0.1:{running.port}", client, peer_name=peer_name) as channel,
    ):
        return await _answers(channel)


async def _answers(channel: grpc.aio.Channel) -> bool:
    try:
        await health(channel, "")
    except grpc.aio.AioRpcError as refused:
        if refused.code() is grpc.StatusCode.UNAVAILABLE:
            return False
        raise
    return True


async def test_a_peer_that_was_restarted_is_found_again() -> None:
    async with _server() as first:
        port = first.port
        channel = open_channel(f"127.0.0.1:{port}", None)
        assert await _answers(channel)
    for _ in range(4):  # with gRPC's own back-off these would push the next try far away
        assert not await _answers(channel)
    async with _server(listen=HostPort("127.0.0.1", port)):
        await health(channel, "", wait_for_ready=True)
        await channel.close()


async def test_calls_go_round_over_all_addresses_of_the_name() -> None:
    seen: set[int] = set()
    async with _server() as one, _server(readiness=Readiness("never ready")) as two:
        target = f"ipv4:127.0.0.1:{one.port},127.0.0.1:{two.port}"
        async with open_channel(target, None) as channel, asyncio.timeout(DEADLINE_S):
            while len(seen) < 2:
                seen.add(await health(channel, ""))


async def test_nobody_there_is_unavailable_at_once() -> None:
    async with _server() as gone:
        port = gone.port
    async with open_channel(f"127.0.0.1:{port}", None) as channel:
        assert not await _answers(channel)


async def test_the_right_certificates_pass(authority: Authority) -> None:
    assert await _passes(authority.issue("127.0.0.1"), authority.issue("edge"))


async def test_the_name_to_expect_can_be_given(authority: Authority) -> None:
    client = authority.issue("edge").model_copy(update={"peer_name": "scanner"})
    assert await _passes(authority.issue("scanner"), client)


async def test_two_peers_may_have_two_names(authority: Authority) -> None:
    client = authority.issue("edge").model_copy(update={"peer_name": "scanner"})
    assert await _passes(authority.issue("policy"), client, peer_name="policy")
    assert not await _passes(authority.issue("scanner"), client, peer_name="policy")


async def test_a_server_of_another_name_is_refused(authority: Authority) -> None:
    assert not await _passes(authority.issue("policy"), authority.issue("edge"))


async def test_a_client_without_certificate_is_refused(authority: Authority) -> None:
    credentials = grpc.ssl_channel_credentials(authority.ca_file.read_bytes())
    async with _server(authority.issue("127.0.0.1")) as server:
        target = f"127.0.0.1:{server.port}"
        async with grpc.aio.secure_channel(target, credentials) as channel:
            assert not await _answers(channel)


async def test_a_client_without_tls_is_refused(authority: Authority) -> None:
    assert not await _passes(authority.issue("127.0.0.1"), None)


async def test_a_client_of_another_authority_is_refused(
    authority: Authority, other_authority: Authority
) -> None:
    stranger = other_authority.issue("edge").model_copy(update={"ca_file": authority.ca_file})
    assert not await _passes(authority.issue("127.0.0.1"), stranger)


async def test_a_server_of_another_authority_is_refused(
    authority: Authority, other_authority: Authority
) -> None:
    impostor = other_authority.issue("127.0.0.1").model_copy(update={"ca_file": authority.ca_file})
    assert not await _passes(impostor, authority.issue("edge"))


async def test_an_expired_client_is_refused(authority: Authority) -> None:
    assert not await _passes(authority.issue("127.0.0.1"), _expired(authority, "edge"))


async def test_an_expired_server_is_refused(authority: Authority) -> None:
    assert not await _passes(_expired(authority, "127.0.0.1"), authority.issue("edge"))


def _expired(authority: Authority, name: str) -> TlsSettings:
    yesterday = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    return authority.sign(authority.ca.issue_cert(name, not_after=yesterday), f"old-{name}")
