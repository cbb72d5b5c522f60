"""Certificates for one run, signed by an authority nobody else trusts.

Keys live in memory; ``write`` puts them into a folder, for services that read files.
"""

import ssl
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True)
class Files:
    """Where a certificate, its key and its authority lie, PEM."""

    authority: Path
    certificate: Path
    key: Path


class Authority:
    """Signs one certificate for ``names`` (host names and addresses)."""

    def __init__(self, *names: str) -> None:
        self._authority = trustme.CA()
        self._certificate = self._authority.issue_cert(*names)

    @cached_property
    def server_context(self) -> ssl.SSLContext:
        """For the side that shows the certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._certificate.configure_cert(context)
        return context

    @cached_property
    def client_context(self) -> ssl.SSLContext:
        """For the side that trusts this authority alone."""
        context = ssl.create_default_context()
        self._authority.configure_trust(context)
        return context

    def write(self, folder: Path) -> Files:
        """Write all three; the key is readable by its owner only."""
        files = Files(folder / "authority.pem", folder / "certificate.pem", folder / "key.pem")
        self._authority.cert_pem.write_to_path(str(files.authority))
        files.certificate.write_bytes(
            b"".join(p.bytes() for p in self._certificate.cert_chain_pems)
        )
        files.key.touch(mode=0o600)
        self._certificate.private_key_pem.write_to_path(str(files.key))
        return files
