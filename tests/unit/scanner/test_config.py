"""The scanner's configuration: what is wrong is said in a sentence."""

from pathlib import Path

import pytest

from scanner.config import ScannerSettings
from scanner.core.profile import Oversize
from scanner.core.scan_profile import ScanProfile, UnknownProfile
from service_kit.config import ConfigError, load

EVERYTHING = """
[listen]
address = "0.0.0.0:50051"
[metrics]
listen = "127.0.0.1:9102"
[log]
format = "text"
[limits]
concurrent_scans = 10
content_octets = 1000
held_octets = 5000
scan_deadline_s = 20
[spam]
suspect_at = 7.0
[panel]
stop_at_virus = false
[engines.clamd]
address = "127.0.0.1:3310"
connections = 8
deadline_s = 10.0
max_octets = 2000
required_at_start = true
[engines.spamd]
address = "/run/spamd.sock"
user = "mail"
oversize = "missing"
[engines.yara]
rules = ["builtin", "/etc/own.yar"]
"""


def loaded(text: str, tmp_path: Path, **environ: str) -> ScannerSettings:
    file = tmp_path / "scanner.toml"
    file.write_text(text)
    return load(ScannerSettings, file, environ, "SCANNER")


def test_every_table_is_understood(tmp_path: Path) -> None:
    settings = loaded(EVERYTHING, tmp_path)
    engines = settings.engines.open()
    assert [engine.profile.name for engine in engines] == ["clamd", "spamd", "yara"]
    clamd, spamd, _ = (engine.profile for engine in engines)
    assert (clamd.max_octets, clamd.deadline_s, clamd.required_at_start) == (2000, 10.0, True)
    assert spamd.oversize is Oversize.MISSING
    assert settings.spam.suspect_at == 7.0


def test_an_engine_that_is_not_named_is_off(tmp_path: Path) -> None:
    settings = loaded("[engines.yara]\n", tmp_path)
    assert [engine.profile.name for engine in settings.engines.open()] == ["yara"]


def test_the_environment_overrides_an_engines_key(tmp_path: Path) -> None:
    settings = loaded(
        "[engines.clamd]\n", tmp_path, SCANNER_ENGINES__CLAMD__ADDRESS="10.0.0.1:3310"
    )
    assert settings.engines.clamd is not None
    assert [str(each) for each in settings.engines.clamd.address] == ["10.0.0.1:3310"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "engines"),
        ("[engines]\n", r"at least one of \[engines.clamd\], \[engines.mksd\], \[engines.spamd\]"),
        ("[engines.sophos]\n", "sophos"),
        ("[engines.clamd]\naddres = '/x'\n", "addres"),
        ("[engines.clamd]\naddress = 'nonsense'\n", "address"),
        ("[engines.clamd]\nconnections = 0\n", "connections"),
        ("[engines.spamd]\nuser = 'a b'\n", "user"),
        ('[engines.spamd]\nuser = "a\\nb"\n', "user"),
        ("[engines.yara]\nrules = []\n", "rules"),
        ("[engines.yara]\n[limits]\nheld_octets = 5\n", "held_octets"),
        ("[engines.yara]\n[spam]\nsuspect_at = nan\n", "suspect_at"),
        ("[engines.yara]\n[profiles.quick]\nengines = ['clamd']\n", r"profiles.quick.*'clamd'"),
        ("[engines.yara]\n[profiles.quick]\nengines = []\n", r"\[profiles.quick\] engines"),
        ("[engines.yara]\n[profiles.'Über']\n", "profiles"),
        ("[engines.yara]\n[profiles.x]\ncontent_octets = 999999999\n", "limits.content_octets"),
    ],
)
def test_a_mistake_is_told_by_its_key(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=sentence):
        loaded(text, tmp_path)


def test_a_profile_has_what_it_says_and_the_rest_from_the_default(tmp_path: Path) -> None:
    text = (
        "[engines.yara]\n[engines.clamd]\n[spam]\nsuspect_at = 7.0\n"
        "[profiles.quick]\nengines = ['clamd']\ncontent_octets = 1000\n"
    )
    profiles = loaded(text, tmp_path).scan_profiles()
    assert profiles.named("quick") == ScanProfile(7.0, 1000, frozenset({"clamd"}))
    assert profiles.named("").engines is None
    with pytest.raises(UnknownProfile, match="profiles here: quick"):
        profiles.named("slow")
