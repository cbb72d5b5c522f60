"""Since when an engine has been what it is."""

from dataclasses import replace

from scanner.cache.known_since import KnownSince
from scanner.core.profile import EngineProfile, EngineVersion
from tests.unit.scanner.fakes import VIRUS

CLAMD = EngineProfile("clamd", frozenset({VIRUS}), 1000, 30.0)
MKSD = replace(CLAMD, name="mksd")
OLD, NEW = EngineVersion("ClamAV", 1), EngineVersion("ClamAV", 2)


def test_an_engine_is_known_from_when_it_is_first_heard_of() -> None:
    known = KnownSince()
    assert known.known_for_s(CLAMD, OLD, 100.0) == 0.0
    assert known.known_for_s(CLAMD, OLD, 130.0) == 30.0


def test_every_change_begins_anew_also_one_back() -> None:
    known = KnownSince()
    known.known_for_s(CLAMD, OLD, 0.0)
    assert known.known_for_s(CLAMD, NEW, 1000.0) == 0.0
    assert known.known_for_s(CLAMD, NEW, 1010.0) == 10.0
    assert known.known_for_s(CLAMD, OLD, 1020.0) == 0.0


def test_engines_are_known_each_for_itself() -> None:
    known = KnownSince()
    known.known_for_s(CLAMD, OLD, 0.0)
    assert known.known_for_s(MKSD, OLD, 50.0) == 0.0
    assert known.known_for_s(CLAMD, OLD, 60.0) == 60.0
