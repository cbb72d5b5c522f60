"""The secret of the proxy-helper protocol: a number of 32 bits, from a file.

Written as the old program's ``remote_udp_secret`` was, in decimal, or as 0x and hex digits.
The client of the protocol and the daemon on a router read it alike. Errors: ConfigError; it does
not show the secret.
"""

import re
from pathlib import Path
from typing import Final

from edge_proxy.interception.proxy_helper_wire import SECRET_OCTETS
from service_kit.config import read_secret
from service_kit.errors import ConfigError

NO_SECRET: Final = bytes(SECRET_OCTETS)
_NUMBER: Final = re.compile(r"0[xX][0-9A-Fa-f]{1,8}|[0-9]{1,10}")


def secret_of(file: Path | None, key: str) -> bytes:
    """As it travels; zeros without a file. ``key`` named the file."""
    if file is None:
        return NO_SECRET
    text = read_secret(file, key).strip()
    number = _number(text)
    if number is None or number >= 1 << 8 * SECRET_OCTETS:
        raise ConfigError(
            f"{key} = {file}: must hold a number from 0 to 4294967295, or 0x and up to 8 hex digits"
        )
    return number.to_bytes(SECRET_OCTETS, "big")


def _number(text: str) -> int | None:
    if not _NUMBER.fullmatch(text):
        return None
    return int(text, 16 if text[:2].lower() == "0x" else 10)
