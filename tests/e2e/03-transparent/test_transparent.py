"""See README.md beside this file."""

from collections.abc import AsyncIterator
from typing import Final

import pytest

from service_kit.addresses import HostPort
from tests.support.namespaces import CLIENT_SIDE, FAMILIES, IPV4, IPV6
from tests.support.router_edge import LISTENING, Client, Scene, edge_in, scene

pytestmark = pytest.mark.root

PUBLIC: Final = {IPV4: "198.51.100.2", IPV6: "2001:db8:1::2"}
"""A second address of the client's, that means something outside."""
_ROUTER: Final = {IPV4: "198.51.100.1/24", IPV6: "2001:db8:1::1/64"}
_HOST_BITS: Final = {IPV4: 32, IPV6: 128}
_ROUTER_TABLE: Final = {"interfaces": [CLIENT_SIDE]}


@pytest.fixture
async def on_a_router() -> AsyncIterator[Scene]:
    async with scene() as made:
        for family in FAMILIES:
            mask = _ROUTER[family].partition("/")[2]
            public = f"{PUBLIC[family]}/{mask}"
            made.network.client.run("ip", "addr", "add", public, "dev", "veth0")
            made.network.router.run("ip", "addr", "add", _ROUTER[family], "dev", CLIENT_SIDE)
        yield made


def tproxy(**more: object) -> dict[str, object]:
    return {"mode": "tproxy", **more}


async def test_the_server_of_a_transparent_edge_sees_the_customer(on_a_router: Scene) -> None:
    config = on_a_router.settings({"destination": tproxy(), "router": _ROUTER_TABLE})
    on_a_router.route(config)
    on_a_router.load_rules(config)
    async with edge_in(on_a_router.network.router, config) as edge:
        for family in FAMILIES:
            for source in (family.client, PUBLIC[family]):
                assert await on_a_router.deliver(source, family) == source
                assert on_a_router.policy.opened[-1].source.address == source
            await edge.until_said("session", count=2, destination=_at(family.server))
        await it_does_not_serve_who_comes_to_itself(on_a_router)
    await nothing_passes_unscanned(on_a_router)


async def it_does_not_serve_who_comes_to_itself(on_a_router: Scene) -> None:
    for family in FAMILIES:
        for address in (family.router_to_client, family.router_to_server):
            async with on_a_router.client(family.client, address, LISTENING) as client:
                assert str(await client.reply()).startswith("554 5.4.6")


async def nothing_passes_unscanned(on_a_router: Scene) -> None:
    """The edge is gone, its rules are not."""
    for family in FAMILIES:
        sessions = on_a_router.servers[family].session_count
        assert await on_a_router.is_refused(PUBLIC[family], family)
        assert on_a_router.servers[family].session_count == sessions


async def test_an_operator_may_have_mail_pass_while_there_is_no_edge(on_a_router: Scene) -> None:
    config = on_a_router.settings(
        {"destination": tproxy(), "router": {**_ROUTER_TABLE, "fail_open": True}}
    )
    on_a_router.route(config)
    on_a_router.load_rules(config)
    for family in FAMILIES:
        assert await on_a_router.deliver(family.client, family) == family.client
    assert not on_a_router.policy.opened
    async with edge_in(on_a_router.network.router, config) as edge:
        for family in FAMILIES:
            assert await on_a_router.deliver(family.client, family) == family.client
        await edge.until_said("session", count=2)


async def test_public_sources_stay_and_private_ones_become_the_router(on_a_router: Scene) -> None:
    config = on_a_router.settings(
        {"destination": tproxy(private="redirect"), "router": _ROUTER_TABLE}
    )
    on_a_router.route(config)
    on_a_router.load_rules(config)
    async with edge_in(on_a_router.network.router, config) as edge:
        for family in FAMILIES:
            assert await on_a_router.deliver(PUBLIC[family], family) == PUBLIC[family]
            assert await on_a_router.deliver(family.client, family) == family.router_to_server
        await edge.until_said("session", count=4)
    for family in FAMILIES:
        for source in (PUBLIC[family], family.client):
            assert await on_a_router.is_refused(source, family)


async def test_redirected_mail_comes_from_the_router(on_a_router: Scene) -> None:
    config = on_a_router.settings({"destination": {"mode": "redirect"}, "router": _ROUTER_TABLE})
    on_a_router.load_rules(config)
    async with edge_in(on_a_router.network.router, config):
        for family in FAMILIES:
            assert await on_a_router.deliver(family.client, family) == family.router_to_server
        await it_does_not_serve_who_comes_to_itself(on_a_router)
    await nothing_passes_unscanned(on_a_router)


async def test_a_family_without_a_listener_is_no_way_past(on_a_router: Scene) -> None:
    config = on_a_router.settings(
        {
            "listen": {"addresses": [f"0.0.0.0:{LISTENING}"]},
            "destination": {"mode": "redirect"},
            "router": _ROUTER_TABLE,
        }
    )
    on_a_router.load_rules(config)
    async with edge_in(on_a_router.network.router, config):
        assert await on_a_router.deliver(IPV4.client, IPV4) == IPV4.router_to_server
        assert await on_a_router.is_refused(IPV6.client, IPV6)


async def test_mail_to_anywhere_goes_to_the_fixed_server(on_a_router: Scene) -> None:
    """Of the edge's own machine, too, but for what the edge itself sends."""
    config = on_a_router.settings(
        {
            "destination": {
                "mode": "fixed",
                "server": _at(IPV4.server),
                "outgoing_mark": 7,
            },
            "router": {**_ROUTER_TABLE, "own_connections": True},
        }
    )
    on_a_router.load_rules(config)
    async with edge_in(on_a_router.network.router, config):
        assert await on_a_router.deliver(IPV4.client, IPV4) == IPV4.router_to_server
        async with on_a_router.client(IPV6.client, IPV6.server) as client:
            await client.deliver(b"Subject: six becomes four\r\n\r\n\r\n")
        away = HostPort(IPV4.client, 25)  # where nobody listens
        async with Client(on_a_router.network.router, IPV4.router_to_client, away) as client:
            await client.deliver(b"Subject: the router's own\r\n\r\n\r\n")
        await on_a_router.servers[IPV4].wait_for_messages(3)
        assert on_a_router.servers[IPV6].session_count == 0


@pytest.mark.parametrize("destination", [tproxy(), {"mode": "redirect"}])
async def test_exempt_networks_go_their_own_way(
    on_a_router: Scene, destination: dict[str, object]
) -> None:
    """No edge runs here: who passes was left alone."""
    exempt = [f"{PUBLIC[family]}/{_HOST_BITS[family]}" for family in FAMILIES]
    config = on_a_router.settings(
        {"destination": destination, "router": {**_ROUTER_TABLE, "exempt_networks": exempt}}
    )
    on_a_router.load_rules(config)
    for family in FAMILIES:
        assert await on_a_router.deliver(PUBLIC[family], family) == PUBLIC[family]
        assert await on_a_router.is_refused(family.client, family)


async def test_workers_share_a_transparent_listener(on_a_router: Scene) -> None:
    config = on_a_router.settings({"workers": 2, "destination": tproxy(), "router": _ROUTER_TABLE})
    on_a_router.route(config)
    on_a_router.load_rules(config)
    async with edge_in(on_a_router.network.router, config, workers=2):
        for family in FAMILIES:
            for _ in range(4):
                assert await on_a_router.deliver(PUBLIC[family], family) == PUBLIC[family]


async def test_connections_of_its_own_that_come_back_are_turned_away(on_a_router: Scene) -> None:
    """Rules somebody else wrote, which do not spare the edge's mark."""
    router = on_a_router.network.router
    config = on_a_router.settings({"destination": {"mode": "redirect", "outgoing_mark": 7}})
    router.run("sysctl", "-qw", "net.ipv4.tcp_fwmark_accept=1")
    on_a_router.network.redirect(_SPARES_NOBODY)
    async with edge_in(router, config) as edge:
        async with on_a_router.client(IPV4.client, IPV4.server) as client:
            assert str(await client.reply()).startswith("554 5.4.6")
        assert await edge.until_said("turned away")
        assert len(edge.said("turned away")) == 1
    assert on_a_router.servers[IPV4].session_count == 0


_SPARES_NOBODY: Final = f"""
table inet spares_nobody {{
  chain incoming {{
    type nat hook prerouting priority dstnat;
    tcp dport 25 redirect to :{LISTENING}
  }}
  chain outgoing {{
    type nat hook output priority -100;
    tcp dport 25 redirect to :{LISTENING}
  }}
}}
"""


async def test_a_source_behind_the_routers_own_nat_is_the_customer(on_a_router: Scene) -> None:
    config = on_a_router.settings(
        {"destination": {"mode": "redirect", "pre_nat": True}, "router": _ROUTER_TABLE}
    )
    on_a_router.load_rules(config)
    for address in _HIDDEN_BEHIND.values():
        on_a_router.network.router.run("ip", "route", "add", address, "dev", CLIENT_SIDE)
    on_a_router.network.redirect(_HIDES_CUSTOMERS)
    async with edge_in(on_a_router.network.router, config) as edge:
        for family in FAMILIES:
            await on_a_router.deliver(family.client, family)
            session = await edge.until_said("session", destination=_at(family.server))
            assert session["source"].rpartition(":")[0].strip("[]") == family.client
            assert on_a_router.policy.opened[-1].source.address == family.client


_HIDDEN_BEHIND: Final = {IPV4: "192.0.2.77", IPV6: "2001:db8:77::1"}
_HIDES_CUSTOMERS: Final = f"""
table inet hides_customers {{
  chain incoming {{
    type nat hook input priority 100;
    tcp dport 2525 meta nfproto ipv4 snat ip to {_HIDDEN_BEHIND[IPV4]}
    tcp dport 2525 meta nfproto ipv6 snat ip6 to {_HIDDEN_BEHIND[IPV6]}
  }}
}}
"""


def _at(server: str) -> str:
    return f"[{server}]:25" if ":" in server else f"{server}:25"
