from pathlib import Path
from typing import Self

import pytest
from pydantic import Field, model_validator

from service_kit.addresses import HostPort
from service_kit.config import ConfigError, Settings, load, read_secret


class _Limits(Settings):
    concurrent_scans: int = Field(default=8, gt=0)
    size_octets: int = 1024


class _Engine(Settings):
    name: str
    deadline_s: float = 5.0


class _Scanner(Settings):
    listen: HostPort = HostPort("127.0.0.1", 7001)
    name: str = "scanner"
    spool: Path = Path("/tmp")
    tags: tuple[str, ...] = ()
    limits: _Limits = _Limits()
    engines: tuple[_Engine, ...] = ()
    profiles: dict[str, _Limits] = Field(default_factory=dict)
    extra: _Limits | None = None
    admin_token: str | None = Field(default=None, min_length=8)
    redis_url: str = Field(default="redis://x", pattern="^redis://[^ ]*$")


def _load(text: str, tmp_path: Path, **environ: str) -> _Scanner:
    path = tmp_path / "scanner.toml"
    path.write_text(text)
    return load(_Scanner, path, environ, "SCANNER")


def _wrong(text: str, tmp_path: Path, **environ: str) -> str:
    with pytest.raises(ConfigError) as wrong:
        _load(text, tmp_path, **environ)
    assert wrong.value.__cause__ is None
    assert wrong.value.__context__ is None or wrong.value.__suppress_context__
    return str(wrong.value).replace(f"{tmp_path}/", "")


def test_without_file_and_environment_the_defaults_are_in_force() -> None:
    assert load(_Scanner, None, {}, "SCANNER") == _Scanner()


def test_the_file_is_read(tmp_path: Path) -> None:
    settings = _load('listen = "[::1]:1"\n[limits]\nconcurrent_scans = 2\n', tmp_path)
    assert settings.listen == HostPort("::1", 1)
    assert settings.limits.concurrent_scans == 2


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    settings = _load(
        "[limits]\nconcurrent_scans = 2\nsize_octets = 3\n",
        tmp_path,
        SCANNER_LIMITS__CONCURRENT_SCANS="9",
        OTHER_LIMITS__SIZE_OCTETS="1",
    )
    assert (settings.limits.concurrent_scans, settings.limits.size_octets) == (9, 3)


def test_a_mistake_names_file_table_key_value_and_cure(tmp_path: Path) -> None:
    assert _wrong("[limits]\nconcurrent_scans = -1\n", tmp_path) == (
        "scanner.toml: [limits] concurrent_scans = -1: must be greater than 0"
    )


def test_a_mistake_in_the_environment_names_the_variable(tmp_path: Path) -> None:
    assert _wrong("", tmp_path, SCANNER_LIMITS__CONCURRENT_SCANS="many") == (
        'SCANNER_LIMITS__CONCURRENT_SCANS = "many": must be a whole number'
    )


def test_a_missing_key_is_told_with_the_variable_that_would_set_it() -> None:
    with pytest.raises(ConfigError) as wrong:
        load(_Engine, None, {}, "ENGINE")
    assert str(wrong.value) == "configuration: name: must be given (or ENGINE_NAME be set)"


class _Pair(Settings):
    low: int = 0
    high: int = 1

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.low > self.high:
            raise ValueError("low must not be above high")
        return self


class _Ranges(Settings):
    first: _Pair


def test_a_mistake_of_a_whole_table_names_the_table(tmp_path: Path) -> None:
    path = tmp_path / "ranges.toml"
    path.write_text("[first]\nlow = 2\n")
    with pytest.raises(ConfigError, match=r"ranges\.toml: \[first\]: low must not be above high$"):
        load(_Ranges, path, {}, "RANGES")
    with pytest.raises(ConfigError, match=r"configuration: \[first\]: must be given$"):
        load(_Ranges, None, {}, "RANGES")


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    text = _wrong('listen = "x"\n[limits]\nconcurrent_scans = 0\n', tmp_path)
    assert [line.partition(":")[0] for line in text.splitlines()] == ["scanner.toml"] * 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[limits]\nconcurent_scans = 1\n", "[limits] concurent_scans = 1: no such key; did you"),
        ("[limitz]\n", "limitz: no such key; did you mean limits?"),
        ("[limits]\nzzz = 1\n", "known here are concurrent_scans, size_octets"),
        ('[[engines]]\nname = "a"\ndeadline = 1\n', "[engines.0] deadline = 1: no such key; did"),
        ("[profiles.small]\nsize = 1\n", "[profiles.small] size = 1: no such key; did you mean"),
        ("[[engines]]\n", "[engines.0] name: must be given"),
        ("[extra]\nsize_octets = 1.5\n", "[extra] size_octets = 1.5: must be a whole number"),
        ("limits = 3\n", "[limits] = 3: must be a table"),
        ('tags = "a"\n', 'tags = "a": must be a list'),
        ("[limits]\nsize_octets = nan\n", "size_octets = NaN: must be a finite number"),
    ],
)
def test_unknown_and_misplaced_keys_are_errors(text: str, says: str, tmp_path: Path) -> None:
    assert says in _wrong(text, tmp_path)


def test_a_file_that_is_not_toml_is_told_with_the_line(tmp_path: Path) -> None:
    text = _wrong('listen = "127.0.0.1:1"\nlisten 3\n', tmp_path)
    assert text.startswith("scanner.toml: not TOML: ")
    assert "line 2" in text


def test_a_file_that_is_not_utf_8_is_told_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "scanner.toml"
    path.write_bytes(b'name = "a"\n# caf\xe9\n')
    with pytest.raises(ConfigError, match=r"not UTF-8 text \(at line 2\)"):
        load(_Scanner, path, {}, "SCANNER")


def test_a_file_that_cannot_be_read_is_told_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file or directory"):
        load(_Scanner, tmp_path / "absent.toml", {}, "SCANNER")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(_Scanner, tmp_path, {}, "SCANNER")


def test_a_file_without_end_is_not_read_to_its_end() -> None:
    with pytest.raises(ConfigError, match="larger than"):
        load(_Scanner, Path("/dev/zero"), {}, "SCANNER")


@pytest.mark.parametrize("text", ['admin_token = "hunter2"', "admin_token = 1234567"])
def test_a_secret_is_not_shown(text: str, tmp_path: Path) -> None:
    said = _wrong(text, tmp_path)
    assert "admin_token: " in said
    assert "hunter2" not in said
    assert "1234567" not in said


def test_a_secret_from_the_environment_is_not_shown(tmp_path: Path) -> None:
    said = _wrong("", tmp_path, SCANNER_ADMIN_TOKEN="hunter2")
    assert said.startswith("SCANNER_ADMIN_TOKEN: ")
    assert "hunter2" not in said


def test_credentials_in_a_url_are_not_shown(tmp_path: Path) -> None:
    said = _wrong('redis_url = "redis://me:hunter2@host/0 "', tmp_path)
    assert 'redis_url = "redis://…@host/0 "' in said


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        _Scanner().name = "x"


def test_a_secret_file_is_read_without_its_line_end(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("hunter2\r\n")
    assert read_secret(path, "admin_token_file") == "hunter2"


@pytest.mark.parametrize(
    ("octets", "says"),
    [(b"", "empty"), (b"\n", "empty"), (b"\xff", "not UTF-8"), (b"a" * 70_000, "larger than")],
)
def test_a_useless_secret_file_is_an_error_that_names_key_and_path(
    octets: bytes, says: str, tmp_path: Path
) -> None:
    path = tmp_path / "token"
    path.write_bytes(octets)
    with pytest.raises(ConfigError, match=says) as wrong:
        read_secret(path, "admin_token_file")
    assert str(wrong.value).startswith(f"admin_token_file = {path}: ")


def test_an_absent_secret_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_secret(tmp_path / "token", "admin_token_file")
