"""``edge-proxy``: the data plane of SMTP-Gated."""

import sys

from edge_proxy.app import run
from edge_proxy.config import EdgeSettings
from edge_proxy.legacy.verb import LEGACY_VERB
from edge_proxy.router.verbs import ROUTER_VERBS
from service_kit.command_line import service_main


def main() -> int:
    verbs = (*ROUTER_VERBS, LEGACY_VERB)
    return service_main("edge-proxy", EdgeSettings, "EDGE_PROXY_", run, verbs=verbs)


if __name__ == "__main__":
    sys.exit(main())
