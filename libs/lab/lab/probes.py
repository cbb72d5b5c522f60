"""One question to a server on this machine: are you there, and are you ready?

Every probe returns why not, empty when all is well; none takes longer than ``PATIENCE_S``.
"""

import socket
from pathlib import Path
from typing import Final

from redis import Redis
from redis.exceptions import RedisError

from service_kit.addresses import HostPort, UnixOrTcp
from service_kit.probe import PATIENCE_S

_ANSWER_OCTETS: Final = 512


def why_not_clamd(address: UnixOrTcp) -> str:
    """PING of clamd."""
    return _why_not(address, b"zPING\0", b"PONG")


def why_not_spamd(address: HostPort) -> str:
    """PING of spamd (SPAMC/1.5)."""
    return _why_not(UnixOrTcp(tcp=address), b"PING SPAMC/1.5\r\n\r\n", b"PONG")


def why_not_redis(url: str) -> str:
    """PING of Redis or Valkey, with whatever password the URL has."""
    try:
        with Redis.from_url(
            url, socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S, retry=None
        ) as connection:
            connection.ping()
    except (RedisError, OSError, ValueError) as wrong:
        return str(wrong)
    return ""


def why_not_valkey(path: Path) -> str:
    """PING of the embedded Valkey, without a client library."""
    return _why_not(UnixOrTcp(path=str(path)), b"PING\r\n", b"+PONG")


def _why_not(address: UnixOrTcp, question: bytes, expected: bytes) -> str:
    try:
        with _connected(address) as connection:
            connection.sendall(question)
            answer = connection.recv(_ANSWER_OCTETS)
    except OSError as wrong:
        return wrong.strerror or str(wrong)
    return "" if expected in answer else f"it answers {answer[:60]!r}"


def _connected(address: UnixOrTcp) -> socket.socket:
    if address.tcp is not None:
        return socket.create_connection((address.tcp.host, address.tcp.port), PATIENCE_S)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(PATIENCE_S)
    try:
        connection.connect(address.path or "")
    except OSError:
        connection.close()
        raise
    return connection
