"""``edge-proxy nft``, ``check``, ``proxy-helper``: what an operator does with the router."""

import argparse
import sys
from ipaddress import ip_network
from pathlib import Path
from typing import Final

import uvloop

from edge_proxy.config import EdgeSettings
from edge_proxy.interception.conntrack import Conntrack
from edge_proxy.interception.proxy_helper_secret import secret_of
from edge_proxy.router.answering import Answering, Pace
from edge_proxy.router.machine import ThisMachine
from edge_proxy.router.policy_routes import policy_route_script
from edge_proxy.router.preflight import State, preflight
from edge_proxy.router.proxy_helper_daemon import serve
from edge_proxy.router.rules import nftables_rules
from rulebook.networks import NetworkSet
from service_kit.addresses import HostPort
from service_kit.command_line import EXIT_NOT_IN_ORDER, EXIT_OK, PlainVerb, Verb
from service_kit.logs import LogSettings, configure


def _print_rules(settings: EdgeSettings, asked: argparse.Namespace) -> int:
    write = policy_route_script if asked.ip_rules else nftables_rules
    sys.stdout.write(write(settings))
    return EXIT_OK


def _rules_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--ip-rules",
        action="store_true",
        help="instead: the shell script of policy routing that mode tproxy needs",
    )


def _check(settings: EdgeSettings, _asked: argparse.Namespace) -> int:
    findings = preflight(settings, ThisMachine())
    width = max(len(each.what) for each in findings)
    for each in findings:
        sys.stdout.write(f"{each.state.value:8}  {each.what:{width}}  {each.found}\n")
        if each.repair:
            sys.stdout.write(f"{'':8}  {'':{width}}  repair: {each.repair}\n")
    missing = any(each.state is State.MISSING for each in findings)
    return EXIT_NOT_IN_ORDER if missing else EXIT_OK


def _answer_questions(asked: argparse.Namespace) -> int:
    configure(LogSettings(), "proxy-helper")
    secret = secret_of(asked.secret_file, "--secret-file") if asked.secret_file else None
    askers = NetworkSet.of(asked.allow)
    with Conntrack() as table:
        answering = Answering(askers, secret, table, Pace(asked.rate))
        uvloop.run(serve(asked.listen, answering, asked.status))
    return EXIT_OK


def _daemon_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--listen",
        type=HostPort.parse,
        default=HostPort("0.0.0.0", 114),  # noqa: S104 - who is answered says --allow
        metavar="HOST:PORT",
        help="UDP address, IPv4 (default: 0.0.0.0:114)",
    )
    parser.add_argument(
        "--allow",
        type=ip_network,
        action="append",
        required=True,
        metavar="NETWORK",
        help="edges that are answered, as often as needed",
    )
    parser.add_argument(
        "--secret-file",
        type=Path,
        metavar="FILE",
        help="questions must carry this secret: a number up to 4294967295, or 0x and hex digits",
    )
    parser.add_argument(
        "--status", type=HostPort.parse, metavar="HOST:PORT", help="serve /metrics there"
    )
    parser.add_argument(
        "--rate",
        type=_rate,
        default=2000,
        metavar="N",
        help="questions a second that are answered, all askers together (default: 2000)",
    )


def _rate(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


ROUTER_VERBS: Final[tuple[Verb[EdgeSettings] | PlainVerb, ...]] = (
    Verb(
        "nft",
        "print the nftables rules that bring connections to this edge",
        _print_rules,
        _rules_arguments,
    ),
    Verb("check", "say what the machine lacks for this configuration, and the repair", _check),
    PlainVerb(
        "proxy-helper",
        "on a router: tell edges elsewhere where the connections it sends them were going",
        _answer_questions,
        _daemon_arguments,
    ),
)
