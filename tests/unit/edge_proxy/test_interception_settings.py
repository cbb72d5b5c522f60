"""What [destination] refuses of the ways that ask somebody."""

from typing import Any

import pytest

from edge_proxy.destination_settings import DestinationSettings
from service_kit.config import load

PEERS = {"peers": ["192.0.2.1", "2001:db8::/32"]}
FIXED = {"mode": "fixed", "server": "mx.example:25"}


def settings(**table: Any) -> DestinationSettings:
    return DestinationSettings.model_validate(table)


def test_who_is_asked_has_the_old_programs_defaults() -> None:
    asked = settings(mode="proxy-helper", proxy_helper=PEERS).proxy_helper
    assert asked is not None
    assert (asked.port, asked.attempts, asked.check_secret) == (114, 3, False)
    ident = settings(mode="ident", ident=PEERS).ident
    assert ident is not None
    assert (ident.port, [str(each) for each in ident.peers]) == (
        114,
        ["192.0.2.1/32", "2001:db8::/32"],
    )


@pytest.mark.parametrize("introduce", ["xclient", "proxy-v2"])
def test_a_fixed_server_may_be_told_who_comes(introduce: str) -> None:
    assert settings(**FIXED, introduce=introduce, identity_tlv=0xE0).introduce == introduce


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ({"mode": "ident"}, r"mode ident needs the table \[destination.ident\] with peers"),
        ({"mode": "proxy-helper"}, r"needs the table \[destination.proxy_helper\]"),
        ({"mode": "proxy-protocol"}, r"needs the table \[destination.proxy_protocol\]"),
        ({"mode": "ident", "ident": {"peers": []}}, "at least 1 item"),
        ({"mode": "ident", "ident": {"peers": ["192.0.2.1/24"]}}, "not a valid IPv4 or IPv6"),
        ({**FIXED, "ident": PEERS}, "ident is for mode ident, not fixed"),
        (
            {"mode": "redirect", "proxy_protocol": PEERS},
            "proxy_protocol is for mode proxy-protocol or fixed, not redirect",
        ),
        ({"mode": "redirect", "introduce": "proxy-v2"}, 'introduce = "proxy-v2" is for mode fixed'),
        ({"mode": "tproxy", "introduce": "xclient"}, "not for mode tproxy"),
        ({**FIXED, "identity_tlv": 0xDF}, "greater than or equal to 224"),
        ({**FIXED, "identity_tlv": 0xF0}, "less than or equal to 239"),
        (
            {"mode": "proxy-helper", "proxy_helper": {**PEERS, "attempts": 5}},
            r"attempts = 5 of attempt_timeout_s = 3.0 last longer than lookup_timeout_s = 10.0",
        ),
        ({"mode": "ipfilter", "ipfilter": {"version": 3}}, "greater than or equal to 4000027"),
    ],
)
def test_what_does_not_go_together_is_refused(table: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        settings(**table)


def test_the_environment_reaches_these_tables() -> None:
    environ = {
        "D_MODE": "ident",
        "D_IDENT__PEERS": '["192.0.2.0/24"]',
        "D_IDENT__PORT": "113",
    }
    loaded = load(DestinationSettings, None, environ, "D_")
    assert loaded.ident is not None
    assert loaded.ident.port == 113
