"""policy.toml."""

from pathlib import Path

import pytest

from policy.config import PolicySettings
from service_kit.config import ConfigError, load

PASSWORD = "hunter2"


def from_toml(tmp_path: Path, text: str, **environ: str) -> PolicySettings:
    path = tmp_path / "policy.toml"
    path.write_text(text)
    return load(PolicySettings, path, environ, "POLICY")


def test_everything_has_a_default(tmp_path: Path) -> None:
    settings = from_toml(tmp_path, "")
    assert str(settings.listen.address) == "127.0.0.1:50052"
    assert settings.redis.secret_url() == "redis://127.0.0.1:6379/0"
    assert settings.tls is None


def test_the_environment_is_laid_over_the_file(tmp_path: Path) -> None:
    settings = from_toml(
        tmp_path, '[redis]\nfarm = "west"\n', POLICY_REDIS__FARM="east", POLICY_STATE_DIR="/tmp/x"
    )
    assert settings.redis.farm == "east"
    assert settings.state_dir == Path("/tmp/x")


@pytest.mark.parametrize("url", ["", "http://a", "127.0.0.1:6379", "redis:/a b"])
def test_what_is_no_redis_url_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigError, match=r"\[redis\] url = "):
        from_toml(tmp_path, f'[redis]\nurl = "{url}"\n')


@pytest.mark.parametrize("url", [f"redis://:{PASSWORD}@a", f"rediss://me:{PASSWORD}@a/0"])
def test_a_url_with_a_password_is_refused_and_not_shown(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigError, match="url_file") as raised:
        from_toml(tmp_path, f'[redis]\nurl = "{url}"\n')
    assert PASSWORD not in str(raised.value)


def test_a_password_in_the_query_is_refused_too(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="url_file"):
        from_toml(tmp_path, f'[redis]\nurl = "unix:///a?password={PASSWORD}"\n')


def test_a_password_travels_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text(f"redis://:{PASSWORD}@127.0.0.1/0\n")
    settings = from_toml(tmp_path, f'[redis]\nurl_file = "{secret}"\n')
    assert settings.redis.secret_url() == f"redis://:{PASSWORD}@127.0.0.1/0"
    with pytest.raises(ConfigError, match="cannot be read"):
        from_toml(tmp_path, '[redis]\nurl_file = "/nowhere"\n').redis.secret_url()


@pytest.mark.parametrize("farm", ["", "a b", "a{b}", "a:b", "ż", "x" * 65])
def test_a_farm_that_cannot_be_a_hash_tag_is_refused(tmp_path: Path, farm: str) -> None:
    with pytest.raises(ConfigError, match="farm"):
        from_toml(tmp_path, f'[redis]\nfarm = "{farm}"\n')


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('sentinels = ["a:1"]\ncluster = ["b:1"]', "not both"),
        ('url = "unix:///run/redis.sock"\nsentinels = ["a:1"]', "unix://"),
        ('url = "unix:///run/redis.sock"\ncluster = ["a:1"]', "unix://"),
        ('cluster = ["nowhere"]', "host:port"),
    ],
)
def test_several_nodes_are_named_in_one_way(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        from_toml(tmp_path, f"[redis]\n{text}\n")


def test_a_resolver_is_an_ip_address(tmp_path: Path) -> None:
    settings = from_toml(tmp_path, '[dns]\nservers = ["192.0.2.53:53", "[2001:db8::53]:53"]\n')
    assert [each.port for each in settings.dns.servers] == [53, 53]
    with pytest.raises(ConfigError, match="no IP address"):
        from_toml(tmp_path, '[dns]\nservers = ["resolver.example:53"]\n')
