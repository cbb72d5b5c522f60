"""How many descriptors this process may have: a session takes two, and one that ends lingers."""

import logging
import resource
from typing import Final

from service_kit.logs import event

LINKS_A_SESSION: Final = 3
"""Downstream, upstream, and a predecessor that is still being closed."""
SPARE: Final = 128

_LOG: Final = logging.getLogger(__name__)


def allow(sessions: int) -> None:
    """Raise the soft limit to the hard one; say so when that is not enough for ``sessions``."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    needed = LINKS_A_SESSION * sessions + SPARE
    if hard != resource.RLIM_INFINITY and hard < needed:
        event(_LOG, logging.WARNING, "too few open files", allowed=hard, needed=needed)
