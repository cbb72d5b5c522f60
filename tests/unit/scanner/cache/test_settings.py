"""[cache]: what is wrong with it is said, and a password is not taken from it."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from scanner.cache.settings import CacheSettings
from service_kit.config import ConfigError


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"url": "http://127.0.0.1"}, "must begin with redis://"),
        ({"url": "redis:127.0.0.1"}, "must begin with redis://"),
        ({"url": "redis://:secret@127.0.0.1/0"}, "belongs into a file"),
        ({"url": "unix:///x?password=secret"}, "belongs into a file"),
        ({"url": "redis://127.0.0.1", "url_file": "/x"}, "not both"),
        ({"farm": "a:b"}, "match"),
        ({"virus_life_s": 0}, "greater"),
        ({"entries": 0}, "greater"),
    ],
)
def test_what_cannot_be_used_is_refused(given: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        CacheSettings.model_validate(given)


async def test_without_an_address_a_replica_remembers_for_itself() -> None:
    cache = CacheSettings().open()
    await cache.aclose()


async def test_an_address_is_not_connected_to_before_it_is_needed() -> None:
    cache = CacheSettings(url="unix:///nowhere/valkey.sock").open()
    await cache.aclose()


async def test_a_file_for_the_address_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\[cache\] url_file"):
        CacheSettings(url_file=tmp_path / "redis-url").open()
