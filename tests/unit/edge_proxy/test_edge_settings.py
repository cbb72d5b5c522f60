"""What an edge's configuration refuses beyond types."""

import pytest

from edge_proxy.config import EdgeSettings


def settings(listen: str, server: str) -> EdgeSettings:
    return EdgeSettings.model_validate(
        {"listen": {"addresses": [listen]}, "destination": {"server": server}}
    )


@pytest.mark.parametrize(
    ("listen", "server"),
    [
        ("127.0.0.1:2525", "127.0.0.1:2525"),
        ("0.0.0.0:2525", "127.0.0.1:2525"),
        ("[::]:2525", "localhost:2525"),
        ("[::]:2525", "[::1]:2525"),
    ],
)
def test_an_edge_is_not_its_own_destination(listen: str, server: str) -> None:
    with pytest.raises(ValueError, match="is where this edge itself listens"):
        settings(listen, server)


@pytest.mark.parametrize(
    ("listen", "server"),
    [("127.0.0.1:2525", "127.0.0.1:25"), ("0.0.0.0:2525", "192.0.2.1:2525")],
)
def test_another_port_or_host_is_a_destination(listen: str, server: str) -> None:
    assert str(settings(listen, server).destination.server) == server
