"""Attempt < scan < edge: whoever is further in answers before the next one gives up."""

import asyncio
from pathlib import Path

import pytest

from edge_proxy.clients.scan_client import ScanClient
from service_kit.grpc_channels import open_channel
from service_kit.tasks import Tasks
from smtpgated_contracts.values.mail import EdgeId, Endpoint, Envelope, SessionId, SessionRef
from smtpgated_contracts.values.scan import Verdict, VerdictKind
from tests.contract.scanner import doubles
from tests.integration.scanner.scanner_process import LISTEN, scanner_process

SESSION = SessionRef(
    SessionId("session-1"), EdgeId("edge-1"), Endpoint("192.0.2.1", 1025), Endpoint("192.0.2.2", 25)
)


@pytest.mark.parametrize(
    ("attempt_s", "scan_s", "edge_s"),
    [(0.3, 30.0, 30.0), (30.0, 0.3, 30.0), (30.0, 30.0, 0.8)],
    ids=["the engine's", "the scan's", "the edge's"],
)
async def test_the_nearest_deadline_is_kept_by_the_one_it_is_told_to(
    tmp_path: Path, attempt_s: float, scan_s: float, edge_s: float
) -> None:
    """The scanner always answers: nobody ever sees a call that timed out."""
    came: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
    async with doubles.double(doubles.clamd_hanging) as hanging:
        configuration = (
            f'{LISTEN}[engines.clamd]\naddress = "{hanging.address}"\ndeadline_s = {attempt_s}\n'
            f"[limits]\nscan_deadline_s = {scan_s}\n"
        )
        async with (
            scanner_process(tmp_path, configuration) as process,
            Tasks() as tasks,
            open_channel(f"127.0.0.1:{await process.port()}", None) as channel,
        ):
            client = ScanClient(channel, tasks, inline_octets=262_144, deadline_s=edge_s)
            feed = client.begin(SESSION, 1, frozenset(), "", came.set_result, lambda: None)
            feed.feed(b"hello\r\n")
            feed.finish(Envelope(b"me"), head_only=False)
            verdict = await came
            assert verdict.kind is VerdictKind.UNSCANNED
            assert verdict.missing[0].reason == "clamd: no answer in time"
            assert len(process.named("scan")) == 1
