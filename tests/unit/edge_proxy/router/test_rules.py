"""The rules that are printed; whether they do what they say is seen in e2e."""

from typing import Any

import pytest

from edge_proxy.config import EdgeSettings
from edge_proxy.router.policy_routes import policy_route_script
from edge_proxy.router.rules import nftables_rules
from service_kit.errors import ConfigError


def settings(
    mode: str, listen: tuple[str, ...] = ("[::]:2525",), router: Any = None, **more: Any
) -> EdgeSettings:
    return EdgeSettings.model_validate(
        {
            "listen": {"addresses": listen},
            "destination": {"mode": mode, **more},
            "router": router or {},
        }
    )


def rules(*words: Any, **more: Any) -> list[str]:
    return [line.strip() for line in nftables_rules(settings(*words, **more)).splitlines()]


def test_tproxy_ends_with_a_reject_unless_failing_open_is_asked_for() -> None:
    assert "meta l4proto tcp reject with tcp reset" in rules("tproxy")
    assert not [line for line in rules("tproxy", router={"fail_open": True}) if "reject" in line]


def test_both_families_go_to_a_dual_stack_listener() -> None:
    lines = rules("tproxy")
    for family in ("ipv4 meta l4proto tcp tproxy ip", "ipv6 meta l4proto tcp tproxy ip6"):
        assert f"meta nfproto {family} to :2525 meta mark set 0x1 accept" in lines


def test_each_family_goes_to_its_own_listener() -> None:
    lines = rules("redirect", listen=("[fd00::1]:2526", "192.0.2.1:2525"))
    assert "meta nfproto ipv4 meta l4proto tcp dnat ip to 192.0.2.1:2525" in lines
    assert "meta nfproto ipv6 meta l4proto tcp dnat ip6 to [fd00::1]:2526" in lines


def test_a_family_nobody_listens_for_is_refused() -> None:
    lines = rules("redirect", listen=("0.0.0.0:2525",), router={"interfaces": ["lan0"]})
    assert "meta nfproto ipv4 meta l4proto tcp redirect to :2525" in lines
    refused = 'meta nfproto ipv6 iifname { "lan0" } tcp dport { 25 } reject with tcp reset'
    assert refused in lines
    assert not [line for line in rules("redirect") if "reject" in line]


def test_private_sources_are_redirected_and_the_rest_is_not() -> None:
    lines = rules("tproxy", private="redirect", private_networks=["10.0.0.0/8"])
    assert "elements = { 10.0.0.0/8 }" in lines
    assert 'ip saddr @private4 accept comment "redirected"' in lines
    assert "ip saddr @private4 meta l4proto tcp redirect to :2525" in lines
    assert not [line for line in lines if "private6" in line]


def test_names_marks_ports_and_interfaces_are_the_operators() -> None:
    router = {"table": "mail", "mark": 64, "ports": [25, 587], "interfaces": ["lan*", "wlan0"]}
    lines = rules("tproxy", router=router, outgoing_mark=7)
    assert lines[1:3] == ["table inet mail", "delete table inet mail"]
    assert 'iifname { "lan*", "wlan0" } tcp dport { 25, 587 } jump to_edge' in lines
    assert [line for line in lines if "meta mark set 0x40 accept" in line]
    assert 'meta mark 0x7 accept comment "the edge\'s own"' in lines


def test_exempt_networks_are_left_alone_as_source_and_destination() -> None:
    for mode in ("tproxy", "redirect"):
        lines = rules(mode, router={"exempt_networks": ["192.0.2.0/24"]})
        assert "ip saddr @exempt4 accept" in lines
        assert "ip daddr @exempt4 accept" in lines


def test_the_machines_own_connections_but_not_the_edges() -> None:
    router = {"own_connections": True, "exempt_users": [10001]}
    lines = rules("redirect", router=router)
    assert "meta skuid { 10001 } accept" in lines
    assert 'oifname != "lo" tcp dport { 25 } jump redirected' in lines
    assert not [line for line in rules("redirect") if "hook output" in line]


@pytest.mark.parametrize(
    ("mode", "listen", "why"),
    [
        ("getsockname", ("[::]:2525",), "mode = getsockname: nftables brings"),
        ("redirect", ("edge.example:2525",), "rules need an address, not a name"),
    ],
)
def test_what_cannot_be_rules(mode: str, listen: tuple[str, ...], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        rules(mode, listen=listen)


def test_a_remote_router_must_know_the_edges_address() -> None:
    peers = {"peers": ["192.0.2.1"]}
    with pytest.raises(ConfigError, match="which address of the edge to send to"):
        rules("proxy-helper", proxy_helper=peers)
    lines = rules("proxy-helper", listen=("192.0.2.9:2525",), proxy_helper=peers)
    assert "meta nfproto ipv4 meta l4proto tcp dnat ip to 192.0.2.9:2525" in lines


@pytest.mark.parametrize(
    ("listen", "families"),
    [
        (("0.0.0.0:2525",), ["-4"]),
        (("[2001:db8::1]:2525",), ["-6"]),
        (("[2001:db8::1]:2525", "192.0.2.1:2525"), ["-4", "-6"]),
    ],
)
def test_policy_routing_is_for_the_families_listened_on(
    listen: tuple[str, ...], families: list[str]
) -> None:
    script = policy_route_script(settings("tproxy", listen))
    assert [each for each in ("-4", "-6") if f"ip {each} " in script] == families


def test_policy_routing_is_for_both_families() -> None:
    script = policy_route_script(settings("tproxy", router={"mark": 64, "route_table": 77}))
    for family in ("-4", "-6"):
        assert f"ip {family} rule add fwmark 0x40 lookup 77\n" in script
        assert f"ip {family} route replace local default dev lo table 77\n" in script
    with pytest.raises(ConfigError, match="only mode tproxy"):
        policy_route_script(settings("redirect"))


@pytest.mark.parametrize(
    ("mode", "router", "why"),
    [
        ("redirect", {"fail_open": True}, "cannot fail open"),
        ("tproxy", {"own_connections": True, "exempt_users": [1]}, "for fixed and redirect"),
        ("redirect", {"own_connections": True}, "bring the edge's connections back"),
        ("tproxy", {"interfaces": ['eth0"; flush ruleset']}, "match pattern"),
        ("tproxy", {"table": "a b"}, "match pattern"),
    ],
)
def test_what_a_configuration_may_not_ask_for(mode: str, router: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        settings(mode, router=router)


def test_the_two_marks_differ() -> None:
    with pytest.raises(ValueError, match=r"outgoing_mark = 9 is router.mark too"):
        settings("tproxy", router={"mark": 9}, outgoing_mark=9)
