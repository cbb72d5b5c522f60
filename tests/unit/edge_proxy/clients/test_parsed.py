"""Nothing is what grpc.aio makes of octets that do not parse."""

import pytest

from edge_proxy.clients.parsed import parsed
from smtpgated.scan.v1 import scan_pb2
from smtpgated_contracts.marshalling.errors import MalformedMessage


def test_a_message_is_itself() -> None:
    verdict = scan_pb2.Verdict(spent_ms=1)
    assert parsed(verdict) is verdict


def test_nothing_is_a_malformed_message() -> None:
    with pytest.raises(MalformedMessage):
        parsed(None)
