"""The secret's file."""

from pathlib import Path

import pytest

from edge_proxy.interception.proxy_helper_secret import secret_of
from service_kit.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("0", "00000000"),
        ("287454020\n", "11223344"),
        ("0x11223344\n", "11223344"),
        ("0Xff", "000000ff"),
        ("4294967295", "ffffffff"),
    ],
)
def test_a_number_as_it_travels(tmp_path: Path, text: str, secret: str) -> None:
    file = tmp_path / "secret"
    file.write_text(text)
    assert secret_of(file, "key").hex() == secret


def test_without_a_file_it_is_nought() -> None:
    assert secret_of(None, "key") == bytes(4)


@pytest.mark.parametrize("text", ["4294967296", "0x123456789", "-1", "hunter2", "12 34", "0x"])
def test_what_is_no_such_number_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    file = tmp_path / "secret"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"key = .*number from 0 to 4294967295") as refused:
        secret_of(file, "key")
    said = str(refused.value).partition("secret: ")[2]
    assert said == "must hold a number from 0 to 4294967295, or 0x and up to 8 hex digits"
