"""Mutual TLS between the services: who may call whom is who has a certificate of our CA.

Both sides show one and demand one. Whatever is wrong with the files is said at the start, as
a ``StartError``: gRPC itself would only fail every handshake, later, without a reason.
"""

import ssl
from pathlib import Path

import grpc

from service_kit.config import Settings
from service_kit.errors import StartError


class TlsSettings(Settings):
    ca_file: Path
    """The authority that signed every service's certificate (PEM)."""
    certificate_file: Path
    """This service's certificate, with intermediates if there are any (PEM)."""
    key_file: Path
    """Its private key (PEM, without passphrase)."""
    peer_name: str = ""
    """The name expected in the other side's certificate; empty: the host of its address."""

    def server_credentials(self) -> grpc.ServerCredentials:
        """Demands a client certificate of our CA."""
        authority, certificate, key = self._checked()
        return grpc.ssl_server_credentials(
            [(key, certificate)], root_certificates=authority, require_client_auth=True
        )

    def channel_credentials(self) -> grpc.ChannelCredentials:
        """Demands a server certificate of our CA for the name we called."""
        authority, certificate, key = self._checked()
        return grpc.ssl_channel_credentials(authority, key, certificate)

    def _checked(self) -> tuple[bytes, bytes, bytes]:
        files = {
            "ca_file": self.ca_file,
            "certificate_file": self.certificate_file,
            "key_file": self.key_file,
        }
        authority, certificate, key = (_content(name, path) for name, path in files.items())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            context.load_verify_locations(self.ca_file)
        except (ssl.SSLError, ValueError):
            raise StartError(f"[tls] ca_file = {self.ca_file}: holds no PEM certificate") from None
        try:
            context.load_cert_chain(self.certificate_file, self.key_file, password=_no_passphrase)
        except (ssl.SSLError, ValueError):
            raise StartError(
                f"[tls] certificate_file = {self.certificate_file}, key_file = {self.key_file}: "
                "not a PEM certificate and its own unencrypted key"
            ) from None
        return authority, certificate, key


def _content(name: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as wrong:
        raise StartError(f"[tls] {name} = {path}: cannot be read: {wrong.strerror}") from None


def _no_passphrase() -> str:
    """Without it OpenSSL would ask at the terminal."""
    return ""
