"""Mutual TLS by configuration: edges of our CA are served, others are not."""

from pathlib import Path

import grpc
import pytest
import trustme

from service_kit.grpc_channels import open_channel
from service_kit.tls import TlsSettings
from smtpgated.policy.v1 import policy_pb2_grpc
from smtpgated_contracts.values.policy import ADMITTED
from tests.integration.policy.conftest import StartReplica
from tests.integration.policy.farm import Edge, Replica
from tests.support.eventually import eventually


def issued(folder: Path, authority: trustme.CA) -> TlsSettings:
    folder.mkdir()
    certificate = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    certificate.private_key_pem.write_to_path(str(folder / "key.pem"))
    for blob in certificate.cert_chain_pems:
        blob.write_to_path(str(folder / "certificate.pem"), append=True)
    return TlsSettings(
        ca_file=folder / "ca.pem",
        certificate_file=folder / "certificate.pem",
        key_file=folder / "key.pem",
    )


async def asked(replica: Replica, tls: TlsSettings | None) -> object:
    channel = open_channel(replica.target, tls)
    try:
        edge = Edge(policy_pb2_grpc.PolicyServiceStub(channel))
        return await edge.questions().open("a")
    finally:
        await channel.close()


async def test_only_an_edge_of_our_authority_is_answered(
    start: StartReplica, tmp_path: Path
) -> None:
    ours = trustme.CA()
    replica = await start(tls=issued(tmp_path / "policy", ours))
    await eventually(lambda: replica.app.readiness.ready)
    assert await asked(replica, issued(tmp_path / "edge", ours)) == [ADMITTED]
    for stranger in (issued(tmp_path / "stranger", trustme.CA()), None):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await asked(replica, stranger)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
