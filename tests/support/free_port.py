"""A port nobody listens on now. Somebody may a moment later: only for what cannot ask for 0."""

import socket


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
