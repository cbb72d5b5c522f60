"""The UNIX socket where a successor knocks: found, or bound anew for the user that we are.

Errors: StartError, naming ``[listen] handover`` and its path.
"""

import errno
import os
import socket
from pathlib import Path
from typing import Final

from edge_proxy.handover.messages import line
from service_kit.errors import StartError

_BACKLOG: Final = 4
_FOR_OTHERS: Final = 0o177
"""Permissions that the socket does not get: 0600 is left."""
_NOBODY_THERE: Final = frozenset({errno.ENOENT, errno.ECONNREFUSED})


def knocked(path: Path) -> socket.socket | None:
    """A connection to the edge that answers there; None: there is none."""
    connection = line()
    try:
        connection.connect(str(path))
    except OSError as wrong:
        connection.close()
        if wrong.errno in _NOBODY_THERE:
            return None
        raise _cannot(path, wrong) from None
    return connection


def bound(path: Path) -> socket.socket:
    """Listens there; what a crashed edge has left is replaced, anything else is left alone."""
    knocker = line()
    before = os.umask(_FOR_OTHERS)
    try:
        if path.is_socket():
            path.unlink()
        knocker.bind(str(path))
        knocker.listen(_BACKLOG)
    except OSError as wrong:
        knocker.close()
        raise _cannot(path, wrong) from None
    finally:
        os.umask(before)
    return knocker


def _cannot(path: Path, wrong: OSError) -> StartError:
    return StartError(f"[listen] handover = {path}: {wrong.strerror or wrong}")
