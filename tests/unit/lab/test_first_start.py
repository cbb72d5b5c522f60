import ssl
from pathlib import Path
from stat import S_IMODE

import pytest

from lab.first_start import SERVICES, prepare


def _files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_second_start_changes_nothing(tmp_path: Path) -> None:
    prepare(tmp_path)
    before = _files(tmp_path)
    prepare(tmp_path)
    assert _files(tmp_path) == before


def test_nothing_is_readable_by_others(tmp_path: Path) -> None:
    prepare(tmp_path)
    assert {S_IMODE(path.stat().st_mode) for path in _files(tmp_path)} == {0o600}


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_gets_a_certificate_of_one_authority(tmp_path: Path, service: str) -> None:
    prepare(tmp_path)
    folder = tmp_path / service
    assert (folder / "authority.pem").read_bytes() == (
        tmp_path / "authority" / "authority.pem"
    ).read_bytes()
    context = ssl.create_default_context(cafile=folder / "authority.pem")
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")


def test_a_service_that_lost_its_key_gets_a_new_one_of_the_same_authority(tmp_path: Path) -> None:
    prepare(tmp_path)
    authority = (tmp_path / "authority" / "authority.pem").read_bytes()
    lost = (tmp_path / "scanner" / "key.pem").read_bytes()
    (tmp_path / "scanner" / "key.pem").unlink()
    prepare(tmp_path)
    assert (tmp_path / "scanner" / "key.pem").read_bytes() != lost
    assert (tmp_path / "scanner" / "authority.pem").read_bytes() == authority


def test_who_needs_the_store_shares_its_password_and_nobody_else_is_told(tmp_path: Path) -> None:
    prepare(tmp_path, "store:6379")
    url = (tmp_path / "policy" / "redis-url").read_text().strip()
    password = url.removeprefix("redis://:").removesuffix("@store:6379/0")
    assert len(password) >= 40
    holders = {
        path.parent.name for path, text in _files(tmp_path).items() if password.encode() in text
    }
    assert holders == {"policy", "scanner", "valkey"}


def test_grafanas_password_is_made_where_there_is_a_folder_and_kept(tmp_path: Path) -> None:
    prepare(tmp_path)
    assert not (tmp_path / "grafana").exists()
    (tmp_path / "grafana").mkdir()
    prepare(tmp_path)
    password = (tmp_path / "grafana" / "admin-password").read_text()
    assert len(password) >= 32
    prepare(tmp_path)
    assert (tmp_path / "grafana" / "admin-password").read_text() == password
