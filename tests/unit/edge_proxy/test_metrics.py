"""What the edge's metrics promise about their labels."""

from typing import get_args

from edge_proxy.destination_settings import Mode
from edge_proxy.metrics import WayIn


def test_every_mode_has_a_label() -> None:
    assert {each.value for each in WayIn} == set(get_args(Mode))
