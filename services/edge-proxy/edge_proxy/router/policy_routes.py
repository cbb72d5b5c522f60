"""Policy routing for mode tproxy: connections with the edge's mark end on this machine.

Only for the families that the edge listens for: the others are rejected, and a kernel may lack one.
"""

from typing import Final

from edge_proxy.config import EdgeSettings
from edge_proxy.router.rules import listened_versions
from service_kit.errors import ConfigError

_EACH_FAMILY: Final = """\
ip {family} rule del fwmark {mark:#x} lookup {table} 2>/dev/null || true
ip {family} rule add fwmark {mark:#x} lookup {table}
ip {family} route replace local default dev lo table {table}
"""


def policy_route_script(settings: EdgeSettings) -> str:
    """A script for sh; running it again does no harm. Raises ConfigError: not mode tproxy."""
    if not settings.destination.transparent:
        mode = settings.destination.mode
        raise ConfigError(f"[destination] mode = {mode}: only mode tproxy needs policy routing")
    router = settings.router
    families = (
        _EACH_FAMILY.format(family=family, mark=router.mark, table=router.route_table)
        for family in map("-{}".format, listened_versions(settings))
    )
    return "#!/bin/sh\nset -e\n" + "".join(families)
