"""Between edge and services both sides show a certificate of our authority, or nothing is said."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lab.certificates import Authority
from lab.far_server import FarServer
from service_kit.tls import TlsSettings
from tests.support.edge import InnerEdge, Tables, inner_edge
from tests.support.eventually import eventually
from tests.support.fake_farm import FakeFarm
from tests.support.fake_policy import FakePolicy
from tests.support.fake_scanner import FakeScanner
from tests.unit.service_kit import conftest


def certified(folder: Path, name: str) -> TlsSettings:
    """An authority of its own, and one certificate by it."""
    (folder / name).mkdir()
    files = Authority("127.0.0.1").write(folder / name)
    return TlsSettings(
        ca_file=files.authority, certificate_file=files.certificate, key_file=files.key
    )


@pytest.fixture
def ours(tmp_path: Path) -> TlsSettings:
    return certified(tmp_path, "ours")


@pytest.fixture
def theirs(tmp_path: Path) -> TlsSettings:
    return certified(tmp_path, "theirs")


def written(tls: TlsSettings) -> Tables:
    return {"tls": {key: str(value) for key, value in tls.model_dump().items()}}


@asynccontextmanager
async def farm_with(tls: TlsSettings | None) -> AsyncIterator[FakeFarm]:
    async with FakeScanner(tls) as scanner, FakePolicy(tls=tls) as policy, FarServer() as far:
        yield FakeFarm(scanner, policy, far)


async def test_with_certificates_of_one_authority_everything_works(ours: TlsSettings) -> None:
    async with farm_with(ours) as farm, inner_edge(farm, written(ours)) as edge:
        async with edge.client() as client:
            await client.greeted()
            assert (await client.deliver(b"hello\r\n")).code == 250
        await eventually(lambda: farm.policy.outcomes)
    assert len(farm.scanner.scans) == len(farm.policy.opened) == 1


async def test_scanners_and_policy_may_have_names_of_their_own(tmp_path: Path) -> None:
    one = conftest.Authority(tmp_path, "ours")
    edge_tls, scanner_tls, policy_tls = (one.issue(each) for each in ("edge", "scanner", "policy"))
    named = {
        **written(edge_tls),
        "policy": {"peer_name": "policy"},
        "scanner": {"peer_name": "scanner"},
    }
    async with (
        FakeScanner(scanner_tls) as scanner,
        FakePolicy(tls=policy_tls) as policy,
        FarServer() as far,
        inner_edge(FakeFarm(scanner, policy, far), named) as edge,
        edge.client() as client,
    ):
        await client.greeted()
        assert (await client.deliver(b"hello\r\n")).code == 250
        assert scanner.scans


async def nothing_is_said(edge: InnerEdge, farm: FakeFarm) -> None:
    await edge.until_said("policy watch ended")
    assert (await edge.greeting()).code == 421
    assert farm.policy.watchers == 0
    assert not farm.policy.batches


async def test_an_edge_without_a_certificate_is_refused(ours: TlsSettings) -> None:
    async with farm_with(ours) as farm, inner_edge(farm, wait_for_policy=False) as edge:
        await nothing_is_said(edge, farm)


async def test_an_edge_with_a_certificate_of_another_authority_is_refused(
    ours: TlsSettings, theirs: TlsSettings
) -> None:
    mixed = theirs.model_copy(update={"ca_file": ours.ca_file})
    async with (
        farm_with(ours) as farm,
        inner_edge(farm, written(mixed), wait_for_policy=False) as edge,
    ):
        await nothing_is_said(edge, farm)


async def test_services_with_a_certificate_of_another_authority_are_refused(
    ours: TlsSettings, theirs: TlsSettings
) -> None:
    mixed = theirs.model_copy(update={"ca_file": ours.ca_file})
    async with (
        farm_with(mixed) as farm,
        inner_edge(farm, written(ours), wait_for_policy=False) as edge,
    ):
        await nothing_is_said(edge, farm)


async def test_services_in_the_clear_are_refused(ours: TlsSettings) -> None:
    async with (
        farm_with(None) as farm,
        inner_edge(farm, written(ours), wait_for_policy=False) as edge,
    ):
        await nothing_is_said(edge, farm)


async def test_a_scanner_of_another_authority_scans_nothing(
    ours: TlsSettings, theirs: TlsSettings
) -> None:
    async with (
        farm_with(ours) as farm,
        FakeScanner(theirs) as stranger,
        inner_edge(farm, {**written(ours), "scanner": {"target": stranger.target}}) as edge,
        edge.client() as client,
    ):
        await client.greeted()
        assert (await client.deliver(b"hello\r\n")).code == 451
        assert not stranger.scans
