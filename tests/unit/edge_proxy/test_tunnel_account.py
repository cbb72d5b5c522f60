"""A tunnel that has ended is counted once, and its part of the session's line is whole."""

from dataclasses import replace

from edge_proxy import metrics, tunnel_account
from edge_proxy.links.tunnel import TunnelRecord
from edge_proxy.metrics import Side
from edge_proxy.relay.facts import CloseCause
from edge_proxy.smtp.tls_hello import TlsVersion

TUNNEL = TunnelRecord(
    octets_up=1000,
    octets_down=200,
    records_up=12,
    records_down=7,
    messages=3,
    server_name="mail.far.example",
    version=TlsVersion.TLS_1_3,
    is_tls=True,
    spent_s=1.23456,
)


def counted() -> list[float]:
    return [
        each._value.get()
        for each in (
            metrics.TUNNELS_ENDED(CloseCause.LOCK),
            metrics.TUNNEL_VERSIONS(TlsVersion.TLS_1_3),
            metrics.TUNNEL_MESSAGES(),
            metrics.TUNNEL_OCTETS(Side.DOWNSTREAM),
            metrics.TUNNEL_OCTETS(Side.UPSTREAM),
            metrics.TUNNEL_RECORDS(Side.DOWNSTREAM),
            metrics.TUNNEL_RECORDS(Side.UPSTREAM),
            metrics.NOT_TLS(),
        )
    ]


def growth(tunnel: TunnelRecord) -> list[float]:
    before = counted()
    tunnel_account.count(tunnel, CloseCause.LOCK)
    return [now - was for now, was in zip(counted(), before, strict=True)]


def test_every_count_grows_by_what_the_tunnel_was() -> None:
    assert growth(TUNNEL) == [1, 1, 3, 1000, 200, 12, 7, 0]


def test_what_was_no_tls_is_counted_so() -> None:
    assert growth(replace(TUNNEL, is_tls=False))[-1] == 1


def test_the_fields_of_the_line() -> None:
    assert tunnel_account.facts(TUNNEL) == {
        "tls": "TLSv1.3",
        "tls_server_name": "mail.far.example",
        "tls_records_up": 12,
        "tls_records_down": 7,
        "messages_estimated": 3,
        "tunnel_octets_up": 1000,
        "tunnel_octets_down": 200,
        "tunnel_s": 1.235,
    }


def test_no_version_is_told_of_what_was_no_tls() -> None:
    assert tunnel_account.facts(replace(TUNNEL, is_tls=False))["tls"] == "none"


def test_a_session_without_a_tunnel_has_no_such_fields() -> None:
    assert tunnel_account.facts(None) == {}
