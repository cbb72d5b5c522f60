"""Which of HELO, MAIL FROM and RCPT TO the log may say, and in which form.

Each of the three is set by one or two words: whose (``accepted`` or ``rejected``; without either
both) and how (``plain``, ``hmac`` or ``legacy-md5``; plain when nothing is said), or ``off``.

``hmac`` is HMAC-SHA-256 with the key of ``hash_key_file``, 128 bits of it, as base64url, behind
four digits that name the key: equal addresses are equal, and without the key nobody can try
addresses. ``legacy-md5`` is what smtp-gated wrote, octet by octet: unsalted, so whoever guesses
an address can prove the guess; it is here for programs that read old logs.

ConfigError: the key cannot be read or is too short.
"""

import hashlib
import hmac
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BeforeValidator, Field, model_validator

from service_kit.config import ConfigError, read_secret
from service_kit.logs import LogSettings

SHORTEST_KEY: Final = 16
"""Characters; ``openssl rand -base64 24`` makes 32."""
_MAC_OCTETS: Final = 16


class LogWord(StrEnum):
    PLAIN = "plain"
    OFF = "off"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    HMAC = "hmac"
    LEGACY_MD5 = "legacy-md5"


_WHOSE: Final = frozenset({LogWord.ACCEPTED, LogWord.REJECTED})
_HOW: Final = frozenset({LogWord.PLAIN, LogWord.HMAC, LogWord.LEGACY_MD5})


def _words(given: object) -> object:
    return (given,) if isinstance(given, str) else given


LogWords = Annotated[tuple[LogWord, ...], BeforeValidator(_words), Field(min_length=1)]


class EdgeLogSettings(LogSettings):
    helo: LogWords = (LogWord.PLAIN,)
    """What the log says of HELO: `plain` or `off`; `accepted` or `rejected` alone; `hmac`."""
    mail_from: LogWords = (LogWord.PLAIN,)
    """The same of senders; words are combined as in `["accepted", "hmac"]`."""
    rcpt_to: LogWords = (LogWord.PLAIN,)
    """The same of recipients."""
    hash_key_file: Path | None = None
    """Where the key of hmac is: a text of 16 characters or more."""
    legacy_md5_octets: int = Field(default=64, ge=1, le=256)
    """Octets of an address that legacy-md5 looks at (the old email_length)."""

    @model_validator(mode="after")
    def _words_go_together(self) -> Self:
        for name in ("helo", "mail_from", "rcpt_to"):
            words = frozenset(getattr(self, name))
            if LogWord.OFF in words and len(words) > 1:
                raise ValueError(f"{name}: off stands alone")
            if len(words & _HOW) > 1:
                raise ValueError(f"{name}: one of plain, hmac and legacy-md5, not several")
            if LogWord.HMAC in words and self.hash_key_file is None:
                raise ValueError(f"{name}: hmac needs hash_key_file")
        return self


@dataclass(frozen=True, slots=True)
class Wording:
    """What is said of one kind of address. ``form`` turns its octets into what is written."""

    form: Callable[[bytes], bytes]
    accepted: bool = True
    rejected: bool = True

    def of(self, address: bytes, *, refused: bool = False) -> bytes | None:
        """What the log says; None: nothing."""
        return self.form(address) if (self.rejected if refused else self.accepted) else None


@dataclass(frozen=True, slots=True)
class AddressPrivacy:
    helo: Wording
    mail_from: Wording
    rcpt_to: Wording

    @classmethod
    def of(cls, settings: EdgeLogSettings) -> Self:
        """Raises ConfigError."""
        key = _key(settings.hash_key_file) if settings.hash_key_file is not None else b""
        forms: Mapping[LogWord, Callable[[bytes], bytes]] = {
            LogWord.HMAC: lambda address: keyed_hash(address, key),
            LogWord.LEGACY_MD5: lambda address: legacy_md5(address, settings.legacy_md5_octets),
        }
        kinds = (settings.helo, settings.mail_from, settings.rcpt_to)
        return cls(*(_wording(frozenset(words), forms) for words in kinds))


def keyed_hash(address: bytes, key: bytes) -> bytes:
    """``1f0c:`` and 22 characters. Domains are the same in any case (RFC 5321 §2.3.11).

    No address (the null sender) is no secret and stays empty.
    """
    if not address:
        return b""
    local, at, domain = address.rpartition(b"@")
    mac = hmac.digest(key, local + at + domain.lower(), "sha256")[:_MAC_OCTETS]
    return b"%s:%s" % (_name_of(key), urlsafe_b64encode(mac).rstrip(b"="))


def legacy_md5(address: bytes, octets: int) -> bytes:
    """The first ``octets`` of it, as the old program's option ``base64`` wrote them."""
    digest = hashlib.md5(address[:octets], usedforsecurity=False).digest()
    return b64encode(digest).rstrip(b"=")


def _wording(
    words: frozenset[LogWord], forms: Mapping[LogWord, Callable[[bytes], bytes]]
) -> Wording:
    if LogWord.OFF in words:
        return Wording(_plain, accepted=False, rejected=False)
    whose = words & _WHOSE or _WHOSE
    form = next((forms[word] for word in words if word in forms), _plain)
    return Wording(form, LogWord.ACCEPTED in whose, LogWord.REJECTED in whose)


def _plain(address: bytes) -> bytes:
    return address


def _key(path: Path) -> bytes:
    key = read_secret(path, "log.hash_key_file")
    if len(key) < SHORTEST_KEY:
        raise ConfigError(
            f"log.hash_key_file = {path}: the key should have {SHORTEST_KEY} characters or more"
        )
    return key.encode()


def _name_of(key: bytes) -> bytes:
    """Tells one key from the next in the log; says nothing about it."""
    return hmac.digest(key, b"name of this key", "sha256")[:2].hex().encode()


PLAIN: Final = AddressPrivacy(Wording(_plain), Wording(_plain), Wording(_plain))
