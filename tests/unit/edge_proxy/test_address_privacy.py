from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from edge_proxy.address_privacy import (
    PLAIN,
    AddressPrivacy,
    EdgeLogSettings,
    keyed_hash,
    legacy_md5,
)
from service_kit.config import ConfigError

_KEY = "a key for tests only"
_ADDRESS = b"user@example.com"


def _privacy(path: Path, **settings: Any) -> AddressPrivacy:
    key_file = path / "key"
    key_file.write_text(f"{_KEY}\n")
    return AddressPrivacy.of(EdgeLogSettings(hash_key_file=key_file, **settings))


@pytest.mark.parametrize(
    ("words", "accepted", "rejected"),
    [
        ("plain", _ADDRESS, _ADDRESS),
        ("off", None, None),
        ("accepted", _ADDRESS, None),
        ("rejected", None, _ADDRESS),
        (["accepted", "rejected"], _ADDRESS, _ADDRESS),
        ("legacy-md5", b"tYmWxQTFY4eY62tRHm9Jrw", b"tYmWxQTFY4eY62tRHm9Jrw"),
        (["rejected", "legacy-md5"], None, b"tYmWxQTFY4eY62tRHm9Jrw"),
        (["hmac", "accepted"], keyed_hash(_ADDRESS, _KEY.encode()), None),
    ],
)
@pytest.mark.parametrize("kind", ["helo", "mail_from", "rcpt_to"])
def test_words_say_whose_addresses_are_logged_and_how(
    tmp_path: Path, kind: str, words: object, accepted: bytes | None, rejected: bytes | None
) -> None:
    privacy = _privacy(tmp_path, **{kind: words})
    wording = getattr(privacy, kind)
    assert wording.of(_ADDRESS) == accepted
    assert wording.of(_ADDRESS, refused=True) == rejected
    others = {"helo", "mail_from", "rcpt_to"} - {kind}
    assert all(getattr(privacy, other).of(_ADDRESS) == _ADDRESS for other in others)


def test_without_settings_everything_is_said_plainly() -> None:
    privacy = AddressPrivacy.of(EdgeLogSettings())
    for kind in ("helo", "mail_from", "rcpt_to"):
        assert getattr(privacy, kind).of(_ADDRESS) == getattr(PLAIN, kind).of(_ADDRESS) == _ADDRESS


def test_a_keyed_hash_is_the_same_for_the_same_mailbox_and_key_only() -> None:
    key, other = b"k" * 32, b"l" * 32
    assert keyed_hash(b"User@EXAMPLE.com", key) == keyed_hash(b"User@example.com", key)
    assert keyed_hash(b"user@example.com", key) != keyed_hash(b"User@example.com", key)
    assert keyed_hash(_ADDRESS, key) != keyed_hash(_ADDRESS, other)
    assert keyed_hash(_ADDRESS, key)[:5] != keyed_hash(_ADDRESS, other)[:5]
    assert keyed_hash(_ADDRESS, key)[:5] == keyed_hash(b"x@y", key)[:5]
    assert len(keyed_hash(_ADDRESS, key)) == 5 + 22


def test_the_null_sender_has_no_hash_to_hide_behind() -> None:
    assert keyed_hash(b"", b"k" * 32) == b""


def test_legacy_md5_cuts_as_the_old_program_did() -> None:
    assert legacy_md5(b"x" * 100, 64) == legacy_md5(b"x" * 64, 64)
    assert legacy_md5(b"x" * 100, 64) != legacy_md5(b"x" * 63, 64)
    assert legacy_md5(_ADDRESS, 64) == b"tYmWxQTFY4eY62tRHm9Jrw"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"helo": ["off", "plain"]}, "helo: off stands alone"),
        ({"rcpt_to": ["plain", "legacy-md5"]}, "rcpt_to: one of plain, hmac and legacy-md5"),
        ({"mail_from": "hmac"}, "mail_from: hmac needs hash_key_file"),
        ({"mail_from": []}, "at least 1 item"),
        ({"mail_from": "md5"}, "'plain', 'off', 'accepted', 'rejected', 'hmac' or 'legacy-md5'"),
    ],
)
def test_words_that_do_not_go_together_are_told(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        EdgeLogSettings(**settings)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("short\n", "should have 16 characters or more"), ("\n", "the file is empty")],
)
def test_a_poor_key_is_told_without_showing_it(tmp_path: Path, text: str, sentence: str) -> None:
    key_file = tmp_path / "key"
    key_file.write_text(text)
    with pytest.raises(ConfigError, match=rf"log\.hash_key_file = .*{sentence}") as told:
        AddressPrivacy.of(EdgeLogSettings(mail_from=("hmac",), hash_key_file=key_file))  # type: ignore[arg-type]  # as a file has it
    assert "short" not in str(told.value)
