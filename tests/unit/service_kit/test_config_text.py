import tomllib
from pathlib import Path

from pydantic import Field

from service_kit.addresses import HostPort
from service_kit.config import Settings, load
from service_kit.config_text import settings_text


class _Inner(Settings):
    count: int = 3
    names: tuple[str, ...] = ("a", 'b"c')


class _Outer(Settings):
    listen: HostPort = HostPort("::1", 25)
    inner: _Inner = _Inner()
    engines: tuple[_Inner, ...] = (_Inner(count=9),)
    free: dict[str, _Inner] = Field(default_factory=lambda: {"small": _Inner(count=1)})
    spool: Path = Path("/var/spool")
    absent: str | None = None
    admin_token: str | None = None
    redis_url: str = "redis://me:hunter2@host/0"


def test_the_text_is_toml_that_gives_the_same_settings(tmp_path: Path) -> None:
    settings = _Outer(redis_url="redis://host")
    path = tmp_path / "again.toml"
    path.write_text(settings_text(settings))
    assert load(_Outer, path, {}, "OUTER") == settings


def test_secrets_are_left_out() -> None:
    text = settings_text(_Outer(admin_token="hunter2"))
    assert "hunter2" not in text
    document = tomllib.loads(text)
    assert document["admin_token"] == "…"
    assert document["redis_url"] == "redis://…@host/0"
