"""Tokens that open the admin API: whose, for what, until when, and for whose networks.

Only the SHA-256 of a secret is kept. That is enough, and a slow hash would add nothing: a secret
is 256 random bits, so there is no list of likely ones that somebody who stole the hashes could
try; a slow hash would only let strangers burn our cores with wrong tokens.
"""

import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from ipaddress import ip_network
from typing import Final

from policy.core.subjects import SubjectError, is_part, network_of

MOST_TOKENS: Final = 1000
LONGEST_SECRET: Final = 512
_RANKS: Final = ("viewer", "operator", "admin")


class Role(StrEnum):
    """Each may what those before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def may(self, needed: "Role") -> bool:
        return _RANKS.index(self) >= _RANKS.index(needed)


@dataclass(frozen=True, slots=True)
class Token:
    """``digest`` is ``digest_of`` the secret. ``networks``: a tenant's, canonical; empty: all.

    Times are Unix milliseconds; ``expires_at_ms`` 0: until it is removed.
    """

    token_id: str
    name: str
    digest: str
    role: Role
    networks: tuple[str, ...] = ()
    expires_at_ms: int = 0
    author: str = ""
    created_at_ms: int = 0

    def holds_at(self, now_ms: int) -> bool:
        return self.expires_at_ms == 0 or now_ms < self.expires_at_ms


@dataclass(frozen=True, slots=True)
class Tenancy:
    """The networks whose subjects somebody may see and touch; none: all of them.

    Names (identities, AUTH users) lie in no network: they are for those who may see everything.
    """

    networks: tuple[str, ...] = ()

    def covers(self, subject: str) -> bool:
        """``subject`` in its one spelling."""
        if not self.networks:
            return True
        network = network_of(subject)
        return network is not None and any(
            is_part(network, ip_network(each)) for each in self.networks
        )

    def covers_address(self, address: str) -> bool:
        """``address`` is canonical."""
        return self.covers(f"address:{address}")


class TokenTable:
    """Tokens by id, found by secret."""

    __slots__ = ("_by_digest", "_tokens")

    def __init__(self, tokens: Iterable[Token] = ()) -> None:
        self._tokens: dict[str, Token] = {}
        self._by_digest: dict[str, Token] = {}
        for token in tokens:
            self.put(token)

    def __len__(self) -> int:
        return len(self._tokens)

    def __iter__(self) -> Iterator[Token]:
        """Newest first."""
        return reversed(self._tokens.values())

    def get(self, token_id: str) -> Token | None:
        return self._tokens.get(token_id)

    def put(self, token: Token) -> None:
        self.remove(token.token_id)
        self._tokens[token.token_id] = token
        self._by_digest[token.digest] = token

    def remove(self, token_id: str) -> None:
        gone = self._tokens.pop(token_id, None)
        if gone is not None:
            self._by_digest.pop(gone.digest, None)

    def of_secret(self, secret: str, now_ms: int) -> Token | None:
        """The token in force that ``secret`` opens.

        A look-up by digest tells a stranger nothing by its time: he cannot choose digests.
        """
        digest = digest_of(secret)
        found = self._by_digest.get(digest)
        if found is None or not hmac.compare_digest(found.digest, digest):
            return None
        return found if found.holds_at(now_ms) else None


def digest_of(secret: str) -> str:
    """SHA-256 in hexadecimal; what is longer than any secret of ours is no secret."""
    return sha256(secret[: LONGEST_SECRET + 1].encode(errors="replace")).hexdigest()


def check_token(token: Token) -> None:
    """Raises SubjectError for a record that makes no sense."""
    for each in token.networks:
        try:
            ip_network(each)
        except ValueError:
            raise SubjectError(f"{each[:64]!r} is no network") from None
