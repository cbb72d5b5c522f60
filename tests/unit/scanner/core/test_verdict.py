"""From statements to one verdict: which kind wins, and what stays missing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.core.verdict import Statement, judge, kind_of
from smtpgated_contracts.values.scan import EngineClass, Finding, Missing, VerdictKind

VIRUS, SPAM = EngineClass.VIRUS, EngineClass.SPAM
CLEAN, SUSPECT = VerdictKind.CLEAN, VerdictKind.SUSPECT
INFECTED, UNSCANNED = VerdictKind.INFECTED, VerdictKind.UNSCANNED

clean_virus = Finding("clamd", VIRUS, CLEAN)
infected = Finding("clamd", VIRUS, INFECTED, "Eicar")
clean_spam = Finding("spamd", SPAM, CLEAN, score=1.0)
spam = Finding("spamd", SPAM, SUSPECT, "GTUBE", 1000.0)
no_virus_engine = Missing(VIRUS, "clamd: cannot be reached")
no_spam_engine = Missing(SPAM, "spamd: no answer in time")


@pytest.mark.parametrize(
    ("findings", "missing", "kind"),
    [
        ([], [], CLEAN),
        ([clean_virus, clean_spam], [], CLEAN),
        ([clean_virus, spam], [], SUSPECT),
        ([infected, spam], [], INFECTED),
        ([infected, clean_spam], [], INFECTED),
        ([clean_spam], [no_virus_engine], UNSCANNED),
        ([clean_virus], [no_spam_engine], UNSCANNED),
        ([spam], [no_virus_engine], SUSPECT),
        ([infected], [no_spam_engine], INFECTED),
        ([], [no_virus_engine, no_spam_engine], UNSCANNED),
    ],
)
def test_the_worst_that_was_found_decides_then_what_is_missing(
    findings: list[Finding], missing: list[Missing], kind: VerdictKind
) -> None:
    verdict = judge(findings, missing, 12)
    assert verdict.kind is kind
    assert verdict.findings == tuple(findings)
    assert verdict.spent_ms == 12


def test_missing_classes_stay_whatever_the_others_found() -> None:
    assert judge([spam], [no_virus_engine], 0).missing == (no_virus_engine,)


def test_one_clean_engine_does_not_stand_for_another_of_its_class_that_failed() -> None:
    verdict = judge([Finding("yara", VIRUS, CLEAN)], [no_virus_engine], 0)
    assert verdict.kind is UNSCANNED


def test_a_class_in_which_something_bad_was_found_is_not_missing() -> None:
    verdict = judge([Finding("yara", VIRUS, INFECTED, "x")], [no_virus_engine], 0)
    assert verdict.kind is INFECTED
    assert verdict.missing == ()


def test_a_class_is_missing_once_with_the_reasons_of_all_its_engines() -> None:
    missing = [no_virus_engine, no_spam_engine, Missing(VIRUS, "yara: no answer in time")]
    assert judge([], missing, 0).missing == (
        Missing(VIRUS, "clamd: cannot be reached; yara: no answer in time"),
        no_spam_engine,
    )


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        (Statement(SPAM, score=4.9), CLEAN),
        (Statement(SPAM, score=5.0), SUSPECT),
        (Statement(SPAM, SUSPECT), SUSPECT),
        (Statement(VIRUS, score=99.0), CLEAN),
        (Statement(VIRUS, INFECTED), INFECTED),
        (Statement(VIRUS, SUSPECT), SUSPECT),
    ],
)
def test_spam_is_a_matter_of_the_farms_threshold(statement: Statement, kind: VerdictKind) -> None:
    assert kind_of(statement, 5.0) is kind


findings = st.builds(
    Finding,
    st.sampled_from(["clamd", "spamd", "yara"]),
    st.sampled_from(EngineClass),
    st.sampled_from([CLEAN, SUSPECT, INFECTED]),
)
missing = st.builds(Missing, st.sampled_from(EngineClass), st.text(max_size=5))


@given(st.lists(findings), st.lists(missing))
def test_clean_means_that_nothing_was_found_and_nobody_is_missing(
    found: list[Finding], failed: list[Missing]
) -> None:
    verdict = judge(found, failed, 0)
    nothing_wrong = not failed and all(each.kind is CLEAN for each in found)
    assert (verdict.kind is CLEAN) == nothing_wrong
    if verdict.kind is UNSCANNED:
        assert verdict.missing
