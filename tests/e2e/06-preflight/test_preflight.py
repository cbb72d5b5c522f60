"""See README.md beside this file."""

import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from edge_proxy.config import EdgeSettings
from edge_proxy.router.machine import ThisMachine
from edge_proxy.router.policy_routes import policy_route_script
from edge_proxy.router.preflight import Finding, State, preflight
from edge_proxy.router.rules import nftables_rules
from tests.support.edge import toml
from tests.support.namespaces import CLIENT_SIDE, IPV4, Network
from tests.support.router_edge import LISTENING, with_net_admin, without_privilege

pytestmark = pytest.mark.root

TABLES: Final[dict[str, Any]] = {
    "listen": {"addresses": [f"[::]:{LISTENING}"]},
    "destination": {"mode": "tproxy", "private": "redirect", "outgoing_mark": 7},
    "router": {"interfaces": [CLIENT_SIDE]},
}
SETTINGS: Final = EdgeSettings.model_validate(TABLES)


@pytest.fixture
def network() -> Iterator[Network]:
    """Everything is right in it."""
    with Network() as made:
        made.router.run("sysctl", "-qw", "net.ipv4.tcp_fwmark_accept=1")
        made.router.run("sh", given=policy_route_script(SETTINGS))
        made.redirect(nftables_rules(SETTINGS))
        with made.router.entered():
            listening = socket.create_server(("::", LISTENING), family=socket.AF_INET6)
        with listening:
            yield made


def wrong(network: Network, settings: EdgeSettings = SETTINGS) -> list[tuple[str, State]]:
    """What is not in order on the router."""
    with network.router.entered():
        findings: tuple[Finding, ...] = preflight(settings, ThisMachine())
    assert all(each.repair for each in findings if each.state is not State.OK)
    return [(each.what, each.state) for each in findings if each.state is not State.OK]


def test_a_router_on_which_everything_is_right(network: Network) -> None:
    assert wrong(network) == []


@pytest.mark.parametrize(
    ("command", "what", "state"),
    [
        ("sysctl -qw net.ipv4.conf.rc.src_valid_mark=1", "src_valid_mark", State.MISSING),
        ("sysctl -qw net.ipv4.conf.all.rp_filter=1", "rp_filter", State.DOUBTFUL),
        ("ip -4 rule del fwmark 1", "IPv4 rule for mark 0x1", State.MISSING),
        ("ip -6 rule del fwmark 1", "IPv6 rule for mark 0x1", State.MISSING),
        ("ip -4 rule add fwmark 1 lookup 77", "IPv4 rule for mark 0x1", State.MISSING),
        ("ip -4 route flush table 100", "IPv4 local route in table 100", State.MISSING),
        ("ip -6 route flush table 100", "IPv6 local route in table 100", State.MISSING),
        ("nft delete table inet smtp_gated", "nftables table inet smtp_gated", State.MISSING),
        (
            "nft flush chain inet smtp_gated to_edge",
            "nftables table inet smtp_gated",
            State.MISSING,
        ),
        ("sysctl -qw net.ipv4.tcp_fwmark_accept=0", "tcp_fwmark_accept", State.DOUBTFUL),
    ],
)
def test_the_one_thing_that_is_wrong_is_named(
    network: Network, command: str, what: str, state: State
) -> None:
    network.router.run(*command.split())
    assert wrong(network) == [(what, state)]


def test_rules_for_another_port_are_not_ours(network: Network) -> None:
    tables = {**TABLES, "listen": {"addresses": [f"[::]:{LISTENING + 1}"]}}
    network.redirect(nftables_rules(EdgeSettings.model_validate(tables)))
    assert wrong(network) == [("nftables table inet smtp_gated", State.MISSING)]


def test_rules_that_fail_open_are_not_what_was_asked_for(network: Network) -> None:
    tables = {**TABLES, "router": {**TABLES["router"], "fail_open": True}}
    network.redirect(nftables_rules(EdgeSettings.model_validate(tables)))
    assert wrong(network) == [("nftables table inet smtp_gated", State.MISSING)]


def test_nobody_listens(network: Network) -> None:
    tables = {"listen": {"addresses": ["[::]:2526"]}, "destination": {"mode": "getsockname"}}
    settings = EdgeSettings.model_validate(tables)
    assert wrong(network, settings) == [("listening at [::]:2526", State.MISSING)]


def test_an_address_that_is_not_the_routers(network: Network) -> None:
    tables = {
        "listen": {"addresses": [f"192.0.2.9:{LISTENING}"]},
        "destination": {"mode": "getsockname"},
    }
    settings = EdgeSettings.model_validate(tables)
    assert wrong(network, settings) == [(f"listening at 192.0.2.9:{LISTENING}", State.MISSING)]


def test_a_server_that_is_the_edge_itself_by_another_address(network: Network) -> None:
    server = f"{IPV4.router_to_server}:{LISTENING}"
    tables = {**TABLES, "destination": {"mode": "fixed", "server": server}}
    settings = EdgeSettings.model_validate(tables)
    network.redirect(nftables_rules(settings))
    assert wrong(network, settings) == [("no loop", State.MISSING)]


def test_who_may_not_is_told_what_to_grant(network: Network) -> None:
    tables = {**TABLES, "destination": {**TABLES["destination"], "pre_nat": True}}
    granted = edge_proxy(network, "check", tables, with_net_admin)
    assert granted.returncode == 0, granted.stdout
    assert "missing" not in granted.stdout
    denied = edge_proxy(network, "check", tables, without_privilege)
    assert denied.returncode == 2
    missing = [each for each in denied.stdout.splitlines() if each.startswith("missing")]
    assert "capability CAP_NET_ADMIN" in missing[0]
    assert "asking conntrack" in missing[1]
    assert len(missing) == 2
    assert "AmbientCapabilities=CAP_NET_ADMIN" in denied.stdout


def test_an_edge_that_may_not_says_what_to_grant(network: Network) -> None:
    for destination, trouble in (
        ({"mode": "tproxy"}, "mode tproxy needs CAP_NET_ADMIN: AmbientCapabilities="),
        ({"mode": "redirect", "pre_nat": True}, "give this process CAP_NET_ADMIN"),
        ({"mode": "redirect", "outgoing_mark": 7}, "destination.outgoing_mark needs CAP_NET_ADMIN"),
    ):
        tables = {"listen": {"addresses": ["[::]:0"]}, "destination": destination}
        ended = edge_proxy(network, "run", tables, without_privilege)
        assert ended.returncode == 2
        assert trouble in ended.stderr


def edge_proxy(
    network: Network, verb: str, tables: Any, privilege: Any
) -> "subprocess.CompletedProcess[str]":
    """``edge-proxy VERB`` on the router, in a folder that anybody may read."""
    with tempfile.TemporaryDirectory(prefix="preflight-") as folder:
        config = Path(folder) / "edge.toml"
        config.write_text(toml(tables))
        config.parent.chmod(0o755)
        words = (sys.executable, "-m", "edge_proxy", verb, "-c", str(config))
        return subprocess.run(
            network.router.command(*privilege(words)),
            text=True,
            capture_output=True,
            check=False,
            timeout=60,
        )


def test_what_nft_is_not_there_to_say_is_unknown(
    network: Network,
) -> None:

    class WithoutNft(ThisMachine):
        def said(self, program: str, *words: str) -> str | None:
            return None if program == "nft" else super().said(program, *words)

    with network.router.entered():
        findings = preflight(SETTINGS, WithoutNft())
    not_ok = [(each.what, each.state) for each in findings if each.state is not State.OK]
    assert not_ok == [("nftables table inet smtp_gated", State.UNKNOWN)]
