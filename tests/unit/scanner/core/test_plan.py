"""Which engines are asked, and which classes are missing before anybody was."""

from scanner.core.plan import plan
from scanner.core.profile import EngineProfile, Oversize
from scanner.core.scan_profile import ScanProfile
from smtpgated_contracts.values.scan import EngineClass, Missing

VIRUS, SPAM = EngineClass.VIRUS, EngineClass.SPAM
NOBODY: frozenset[EngineClass] = frozenset()

clamd = EngineProfile("clamd", frozenset({VIRUS}), 1000, 30)
spamd = EngineProfile("spamd", frozenset({SPAM}), 500, 30, Oversize.SKIP)
yara = EngineProfile("yara", frozenset({VIRUS, SPAM}), 2000, 30)
ALL = (clamd, spamd, yara)
EVERYBODY = ScanProfile(5.0, 1_000_000)


def test_every_engine_is_asked_within_its_limit() -> None:
    assert plan(ALL, EVERYBODY, 500, NOBODY).ask == (0, 1, 2)


def test_content_beyond_a_limit_passes_an_engine_that_skips_it() -> None:
    chosen = plan(ALL, EVERYBODY, 501, NOBODY)
    assert chosen.ask == (0, 2)
    assert chosen.missing == ()


def test_content_beyond_a_limit_is_missing_to_an_engine_that_does_not() -> None:
    chosen = plan(ALL, EVERYBODY, 1001, NOBODY)
    assert chosen.ask == (2,)
    assert chosen.missing == (Missing(VIRUS, "clamd: 1001 octets, its limit is 1000"),)


def test_an_engine_of_two_classes_is_missing_for_both() -> None:
    assert [each.engine_class for each in plan((yara,), EVERYBODY, 2001, NOBODY).missing] == [
        SPAM,
        VIRUS,
    ]


def test_an_engine_is_asked_when_one_of_its_classes_is_wanted() -> None:
    assert plan(ALL, EVERYBODY, 10, frozenset({SPAM})).ask == (0, 2)
    assert plan(ALL, EVERYBODY, 10, frozenset({VIRUS})).ask == (1, 2)


def test_a_skipped_class_is_neither_asked_for_nor_missing() -> None:
    chosen = plan(ALL, EVERYBODY, 5000, frozenset({VIRUS}))
    assert chosen.ask == ()
    assert [each.engine_class for each in chosen.missing] == [SPAM]
    assert plan(ALL, EVERYBODY, 5000, frozenset(EngineClass)).missing == ()


def test_an_engine_the_profile_does_not_name_is_not_asked_and_nothing_is_missing() -> None:
    quick = ScanProfile(5.0, 1_000_000, frozenset({"clamd"}))
    assert plan(ALL, quick, 500, NOBODY).ask == (0,)
    chosen = plan(ALL, quick, 5000, NOBODY)
    assert chosen.ask == ()
    assert [each.engine_class for each in chosen.missing] == [VIRUS]


def test_engines_that_judge_nothing_but_what_is_spared_are_not_asked_and_it_is_missing() -> None:
    chosen = plan(ALL, EVERYBODY, 500, NOBODY, frozenset({SPAM}))
    assert (chosen.ask, chosen.spared) == ((0, 2), (1,))
    assert chosen.missing == (Missing(SPAM, "spamd: overload, not asked"),)


def test_of_what_is_spared_only_what_is_wanted_and_within_the_limit_is_missing() -> None:
    spare = frozenset({SPAM})
    assert plan((spamd,), EVERYBODY, 500, spare, spare).missing == ()
    assert plan((spamd,), EVERYBODY, 501, NOBODY, spare).missing == ()
    assert plan((yara,), EVERYBODY, 500, frozenset({VIRUS}), spare).spared == (0,)
