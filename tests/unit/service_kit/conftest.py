"""What several tests of the kit need: the root logger as it was, and certificates."""

import logging
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import grpc.aio
import pytest
import trustme
from grpc_health.v1 import health_pb2

from service_kit.tls import TlsSettings

# Longer than anything here takes, on the slowest machine.
DEADLINE_S: Final = 20.0


@pytest.fixture
def root_logger_restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, hook = tuple(root.handlers), root.level, sys.excepthook
    show = warnings.showwarning
    yield
    for each in tuple(root.handlers):
        if each not in handlers:
            root.removeHandler(each)
            each.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    sys.excepthook = hook
    logging.captureWarnings(capture=False)
    warnings.showwarning = show


class Authority:
    """A CA of our own and what it signs, as files."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder / name
        self._folder.mkdir()
        self.ca = trustme.CA()
        self.ca_file = self._folder / "ca.pem"
        self.ca.cert_pem.write_to_path(str(self.ca_file))

    def sign(self, certificate: trustme.LeafCert, name: str) -> TlsSettings:
        chain, key = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        chain.write_bytes(b"".join(each.bytes() for each in certificate.cert_chain_pems))
        certificate.private_key_pem.write_to_path(str(key))
        return TlsSettings(ca_file=self.ca_file, certificate_file=chain, key_file=key)

    def issue(self, *hosts: str) -> TlsSettings:
        return self.sign(self.ca.issue_cert(*hosts), hosts[0].replace(":", "_"))


async def health(channel: grpc.aio.Channel, service: str, *, wait_for_ready: bool = False) -> int:
    """What the peer's health service says, within DEADLINE_S."""
    ask = channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
        response_deserializer=health_pb2.HealthCheckResponse.FromString,
    )
    request = health_pb2.HealthCheckRequest(service=service)
    answer = await ask(request, timeout=DEADLINE_S, wait_for_ready=wait_for_ready)
    return answer.status


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "ours")


@pytest.fixture
def other_authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "theirs")
