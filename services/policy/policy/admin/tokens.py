"""Bearer tokens: read from a file that only its owner may read, kept and compared as SHA-256.

One token a line; empty lines and lines beginning with ``#`` are skipped.
Errors: ConfigError.
"""

import hmac
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from stat import S_IMODE, S_IRWXG, S_IRWXO
from typing import Final

from service_kit.config import ConfigError, read_secret

SHORTEST: Final = 16
"""Characters; ``python3 -c 'import secrets; print(secrets.token_urlsafe(32))'`` gives 43."""

_LONGEST: Final = 512
_KEY: Final = "[admin] token_file"


class Tokens:
    """The tokens that open the API."""

    __slots__ = ("_digests",)

    def __init__(self, tokens: Iterable[str]) -> None:
        self._digests = tuple(sha256(token.encode()).digest() for token in tokens)

    def know(self, token: str) -> bool:
        """Whether ``token`` is one of ours. Takes as long for a wrong one as for a right one."""
        digest = sha256(token[:_LONGEST].encode(errors="replace")).digest()
        matches = [hmac.compare_digest(digest, each) for each in self._digests]
        return any(matches)


def read_tokens(path: Path) -> Tokens:
    try:
        mode = S_IMODE(path.stat().st_mode)
    except OSError as wrong:
        raise ConfigError(
            f"{_KEY} = {path}: cannot be read: {wrong.strerror}; make it with "
            f"(umask 077; python3 -c 'import secrets; print(secrets.token_urlsafe(32))' > {path})"
        ) from None
    if mode & (S_IRWXG | S_IRWXO):
        raise ConfigError(
            f"{_KEY} = {path}: mode {mode:04o} lets others than its owner at it: chmod 600 {path}"
        )
    lines = (line.strip() for line in read_secret(path, _KEY).splitlines())
    tokens = [line for line in lines if line and not line.startswith("#")]
    if not tokens:
        raise ConfigError(f"{_KEY} = {path}: holds no token")
    for token in tokens:
        if not SHORTEST <= len(token) <= _LONGEST or not token.isascii() or " " in token:
            raise ConfigError(
                f"{_KEY} = {path}: a token has {SHORTEST} to {_LONGEST} ASCII characters, no space"
            )
    return Tokens(tokens)
