import pytest
from hypothesis import given

from smtpgated.common.v1 import mail_pb2
from smtpgated.policy.v1 import policy_pb2
from smtpgated_contracts.marshalling.errors import MalformedMessage
from smtpgated_contracts.marshalling.reported import (
    rejections_from_wire,
    rejections_to_wire,
    ruling_from_wire,
    ruling_to_wire,
    tunnelled_from_wire,
    tunnelled_to_wire,
)
from smtpgated_contracts.values.reported import Rejections, RulingReport, Tunnelled
from tests.unit.contracts.strategies import rejections, rulings, tunnelled


@given(rejections)
def test_rejections_come_back(told: Rejections) -> None:
    octets = rejections_to_wire(told).SerializeToString()
    assert rejections_from_wire(policy_pb2.Rejections.FromString(octets)) == told


@given(tunnelled)
def test_what_a_tunnel_carried_comes_back(told: Tunnelled) -> None:
    octets = tunnelled_to_wire(told).SerializeToString()
    assert tunnelled_from_wire(policy_pb2.Tunnelled.FromString(octets)) == told


@given(rulings)
def test_a_ruling_comes_back(told: RulingReport) -> None:
    octets = ruling_to_wire(told).SerializeToString()
    assert ruling_from_wire(policy_pb2.RulingReport.FromString(octets)) == told


@pytest.mark.parametrize("figure", ["score", "load"])
@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_a_figure_that_is_no_number_is_malformed(figure: str, value: float) -> None:
    wire = policy_pb2.RulingReport(session=mail_pb2.SessionRef(session_id="s"))
    setattr(wire.facts, figure, value)
    with pytest.raises(MalformedMessage, match=figure):
        ruling_from_wire(wire)
