import ssl
from pathlib import Path

import pytest

from service_kit.errors import StartError
from service_kit.tls import TlsSettings
from tests.unit.service_kit.conftest import Authority


def test_certificates_in_order_give_credentials(authority: Authority) -> None:
    tls = authority.issue("scanner")
    tls.server_credentials()
    tls.channel_credentials()


def test_a_file_that_cannot_be_read_is_named_with_its_key(
    authority: Authority, tmp_path: Path
) -> None:
    good = authority.issue("scanner")
    for key in ("ca_file", "certificate_file", "key_file"):
        bad = good.model_copy(update={key: tmp_path / "absent.pem"})
        with pytest.raises(StartError, match=rf"\[tls\] {key} = .*absent.pem: cannot be read: No"):
            bad.server_credentials()


def test_files_that_hold_something_else_are_told(authority: Authority, tmp_path: Path) -> None:
    good = authority.issue("scanner")
    rubbish = tmp_path / "rubbish.pem"
    rubbish.write_text("not PEM\n")
    with pytest.raises(StartError, match=r"ca_file = .*rubbish\.pem: holds no PEM certificate"):
        good.model_copy(update={"ca_file": rubbish}).channel_credentials()
    with pytest.raises(StartError, match=r"certificate_file = .*: not a PEM certificate"):
        good.model_copy(update={"certificate_file": rubbish}).channel_credentials()


def test_a_key_of_another_certificate_is_told(authority: Authority) -> None:
    mixed = authority.issue("scanner").model_copy(
        update={"key_file": authority.issue("policy").key_file}
    )
    with pytest.raises(StartError, match="not a PEM certificate and its own unencrypted key"):
        mixed.server_credentials()


def test_an_encrypted_key_does_not_ask_at_the_terminal(authority: Authority) -> None:
    tls = authority.issue("scanner")
    _encrypt(tls)
    with pytest.raises(StartError, match="unencrypted"):
        tls.server_credentials()


def _encrypt(tls: TlsSettings) -> None:
    from cryptography.hazmat.primitives import serialization as pem

    key = pem.load_pem_private_key(tls.key_file.read_bytes(), None)
    tls.key_file.write_bytes(
        key.private_bytes(
            pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.BestAvailableEncryption(b"hunter2")
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_cert_chain(tls.certificate_file, tls.key_file, password="hunter2")
