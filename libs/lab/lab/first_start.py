"""What a farm in containers needs before its first start: certificates, a token, a password.

    FOLDER/authority/   authority.pem, key.pem              who signs; keep it to yourself
    FOLDER/edge-proxy/  authority.pem, certificate.pem, key.pem
    FOLDER/scanner/     the same, redis-url for its verdict cache
    FOLDER/policy/      the same, admin-token, redis-url
    FOLDER/valkey/      valkey.conf, with the password
    FOLDER/grafana/     admin-password, if there is a volume for it

Each subfolder can be a volume of its own, so that no service sees another one's key. What is
there already is kept: a second start changes nothing. Files are readable by their owner alone.
Errors: OSError for a folder that cannot be written.
"""

import os
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import trustme

from lab.admin_token import kept_token

SERVICES: Final = ("edge-proxy", "scanner", "policy")
LIFE: Final = timedelta(days=3650)
_DATABASES: Final = {"policy": 0, "scanner": 1}
_VALKEY: Final = """\
# Written at the first start; the password is policy's too (redis-url).
bind 0.0.0.0 ::
requirepass {password}
dir /data
appendonly yes
appendfsync everysec
maxmemory-policy noeviction
"""


def prepare(folder: Path, valkey: str = "valkey:6379") -> None:
    """``valkey``: host and port under which policy finds it."""
    authority = _authority(folder / "authority")
    for service in SERVICES:
        _certify(authority, service, folder / service)
    kept_token(folder / "policy" / "admin-token")
    _valkey(folder, valkey)
    _grafana(folder / "grafana")


def _authority(folder: Path) -> trustme.CA:
    folder.mkdir(parents=True, exist_ok=True)
    certificate, key = folder / "authority.pem", folder / "key.pem"
    if key.exists():
        return trustme.CA.from_pem(certificate.read_bytes(), key.read_bytes())
    made = trustme.CA()
    _write(certificate, made.cert_pem.bytes())
    _write(key, made.private_key_pem.bytes())
    return made


def _certify(authority: trustme.CA, service: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "key.pem").exists():
        return
    issued = authority.issue_cert(
        service, "localhost", "127.0.0.1", not_after=datetime.now(UTC) + LIFE
    )
    _write_all(
        folder,
        {
            "authority.pem": authority.cert_pem.bytes(),
            "certificate.pem": b"".join(part.bytes() for part in issued.cert_chain_pems),
            "key.pem": issued.private_key_pem.bytes(),
        },
    )


def _valkey(folder: Path, address: str) -> None:
    (folder / "valkey").mkdir(parents=True, exist_ok=True)
    if (folder / "valkey" / "valkey.conf").exists():
        return
    password = secrets.token_urlsafe(32)
    for service, database in _DATABASES.items():
        url = f"redis://:{password}@{address}/{database}\n"
        _write(folder / service / "redis-url", url.encode())
    _write(folder / "valkey" / "valkey.conf", _VALKEY.format(password=password).encode())


def _grafana(folder: Path) -> None:
    """Only where a volume is there for it: else the folder is part of a read-only image."""
    password = folder / "admin-password"
    if os.access(folder, os.W_OK) and not password.exists():
        _write(password, secrets.token_urlsafe(24).encode())


def _write_all(folder: Path, files: Mapping[str, bytes]) -> None:
    """In order: that the last one is there says that all are."""
    for name, content in files.items():
        _write(folder / name, content)


def _write(file: Path, content: bytes) -> None:
    """Whole or not at all, and never readable by others."""
    unfinished = file.with_name(f"{file.name}.new")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(content)
    unfinished.rename(file)
