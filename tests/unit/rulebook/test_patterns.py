import pcre2
import pytest

from rulebook.errors import RulebookError
from rulebook.patterns import MOST_CHARACTERS, Pattern, PatternCutError

NEVER_ENDING = "(a+)+$"
LONG = b"a" * 400 + b"b"


@pytest.mark.parametrize(
    ("text", "octets", "found"),
    [
        (r"\.example$", b"mail.far.example", True),
        (r"\.example$", b"mail.far.example.org", False),
        ("far", b"mail.far.example", True),
        ("FAR", b"mail.far.example", False),
        ("(?i)FAR", b"mail.far.example", True),
        ("^$", b"", True),
        (r"^\xff\x00$", b"\xff\x00", True),
        ("ł", "ł".encode(), True),
        (r"^\\x{2}$", b"\\xx", True),
        ("(?<=a)b(?!c)", b"abd", True),
        (r"^(.)(?1)\1", b"aba", True),
    ],
)
def test_a_pattern_is_looked_for_in_octets_anywhere(text: str, octets: bytes, found: bool) -> None:
    assert Pattern.parse(text).found_in(octets) is found


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        (NEVER_ENDING, LONG),
        ("(a|aa)+$", LONG),
        ("(?=.*?(?=.*?(?=.*?z)))", b"a" * 2000),
        ("^((.)(?1)|z)*$", b"x" * 5000),
        ("(*UTF)a", b"\xff"),
    ],
)
def test_what_cannot_be_decided_within_the_limits_is_cut(text: str, octets: bytes) -> None:
    with pytest.raises(PatternCutError):
        Pattern.parse(text).found_in(octets)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("(", "missing closing parenthesis"),
        ("[a", "missing terminating ]"),
        ("a{2,1}", "numbers out of order"),
        ("((a{1,1000}){1,1000}){1,1000}", "too large"),
        ("(" * 300 + ")" * 300, "too deeply nested"),
        ("", "1 to 1000 characters"),
        ("x" * (MOST_CHARACTERS + 1), "1 to 1000 characters"),
        ("\udcff", "is not a pattern"),
        (r"^\x{ff}", "as \\xff"),
        ("(*LIMIT_MATCH=99999999)(a+)+$", "the limits are fixed"),
    ],
)
def test_what_is_no_pattern_is_an_error_that_says_why(text: str, reason: str) -> None:
    with pytest.raises(RulebookError) as error:
        Pattern.parse(text)
    assert reason in str(error.value)
    assert len(str(error.value)) < 300


def test_patterns_work_where_memory_may_not_be_made_executable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compiled = pcre2.compile

    def hardened(octets: bytes, *, jit: bool) -> object:
        if jit:
            raise pcre2.LibraryError(-48)  # no more memory
        return compiled(octets, jit=False)

    monkeypatch.setattr(pcre2, "compile", hardened)
    pattern = Pattern.parse(NEVER_ENDING)
    assert not pattern.is_machine_code
    assert pattern.found_in(b"baa")
    with pytest.raises(PatternCutError):
        pattern.found_in(LONG)


def test_patterns_of_the_same_text_are_equal() -> None:
    assert Pattern.parse("a") == Pattern.parse("a")
    assert Pattern.parse("a") != Pattern.parse("b")
