"""``edge-proxy nft``: what an operator does with the router."""

import argparse
import sys
from typing import Final

from edge_proxy.config import EdgeSettings
from edge_proxy.router.policy_routes import policy_route_script
from edge_proxy.router.rules import nftables_rules
from service_kit.command_line import EXIT_OK, PlainVerb, Verb


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


ROUTER_VERBS: Final[tuple[Verb[EdgeSettings] | PlainVerb, ...]] = (
    Verb(
        "nft",
        "print the nftables rules that bring connections to this edge",
        _print_rules,
        _rules_arguments,
    ),
)
