"""For how long what an engine said is believed."""

from dataclasses import replace

import pytest

from scanner.core.cache_life import Lives, life_s
from scanner.core.profile import EngineProfile, EngineVersion
from smtpgated_contracts.values.scan import EngineClass

VIRUS = EngineProfile("clamd", frozenset({EngineClass.VIRUS}), 1000, 30.0)
SPAM = replace(VIRUS, name="spamd", judges=frozenset({EngineClass.SPAM}))
BOTH = replace(VIRUS, name="yara", judges=frozenset(EngineClass))
NUMBERED = EngineVersion("ClamAV 1.4.3", 27800)
UNNUMBERED = EngineVersion("ClamAV 1.4.3")
EDITION = replace(UNNUMBERED, edition="1f3a90cc")
LIVES = Lives(virus_s=3600.0, unversioned_s=60.0, spam_s=300.0)


@pytest.mark.parametrize(
    ("engine", "version", "known_for_s", "expected_s"),
    [
        (VIRUS, NUMBERED, 10_000.0, 3600.0),
        (VIRUS, UNNUMBERED, 10_000.0, 60.0),
        (VIRUS, EDITION, 10_000.0, 3600.0),
        (VIRUS, EDITION, 0.0, 60.0),
        (VIRUS, replace(EDITION, away=1), 10_000.0, 60.0),
        (VIRUS, replace(NUMBERED, away=1), 10_000.0, 60.0),
        (SPAM, UNNUMBERED, 0.0, 300.0),
        (BOTH, NUMBERED, 10_000.0, 300.0),
        (BOTH, UNNUMBERED, 10_000.0, 60.0),
    ],
)
def test_life(
    engine: EngineProfile, version: EngineVersion, known_for_s: float, expected_s: float
) -> None:
    assert life_s(engine, version, known_for_s, LIVES) == expected_s


@pytest.mark.parametrize(("known_for_s", "expected_s"), [(0, 60), (59, 60), (61, 61), (4000, 3600)])
def test_new_signatures_are_believed_no_longer_than_they_are_known(
    known_for_s: float, expected_s: float
) -> None:
    assert life_s(VIRUS, NUMBERED, known_for_s, LIVES) == expected_s


def test_an_operator_may_make_the_life_of_the_numbered_the_shorter_one() -> None:
    assert life_s(VIRUS, NUMBERED, 10_000.0, replace(LIVES, virus_s=5.0)) == 5.0
