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


def handing_over(path: str, address: str = "127.0.0.1:2525") -> EdgeSettings:
    return EdgeSettings.model_validate(
        {
            "listen": {"addresses": [address], "handover": path},
            "destination": {"server": "192.0.2.1:25"},
        }
    )


@pytest.mark.parametrize("path", ["edge.sock", "/run/" + "x" * 100])
def test_a_handover_socket_has_an_absolute_path_that_a_socket_can_have(path: str) -> None:
    with pytest.raises(ValueError, match="must be an absolute path of at most 103 octets"):
        handing_over(path)


def test_a_port_that_the_next_edge_cannot_know_cannot_be_handed_over() -> None:
    with pytest.raises(ValueError, match="handover needs a port in each of addresses, not 0"):
        handing_over("/run/edge.sock", "127.0.0.1:0")
