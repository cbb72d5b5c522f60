from typing import Final

import pytest

from rulebook.document import parse
from rulebook.errors import RulebookError, cut, shown

LONG: Final = "x" * 100_000
RULE: Final = 'schema = 1\n[[rules]]\nid = "r"\naction = "note"\nphase = '
DEEP: Final = "[" * 90 + "]" * 90


def test_a_rulebook_error_is_about_a_value() -> None:
    assert issubclass(RulebookError, ValueError)


@pytest.mark.parametrize("value", ["virus", 7, 1.5, True, ["a", "b"], {"a": 1}, None])
def test_a_value_of_usual_length_is_shown_as_it_is(value: object) -> None:
    assert shown(value) == repr(value)
    assert cut(str(value)) == str(value)


@pytest.mark.parametrize(
    "line",
    [
        f'schema = "{LONG}"',
        f"schema = 0x{'f' * 100_000}",
        f"schema = {DEEP}",
        f"schema = 1\n{LONG} = 1",
        f"schema = 1\n[{LONG}]\n[{LONG}]",
        f'schema = 1\nstarttls = "{LONG}"',
        f'schema = 1\n[limits]\nconcurrent_sessions = "{LONG}"',
        f"schema = 1\n[limits]\nconcurrent_sessions = 0x{'f' * 100_000}",
        f"schema = 1\n[limits]\n{LONG} = 1",
        f'schema = 1\n[exempt]\nsources = ["{LONG}"]',
        f"schema = 1\n[exempt]\nsources = [{', '.join('1' * 9_999)}]",
        f'schema = 1\n[[rules]]\nid = "{LONG}"',
        f'schema = 1\n[[rules]]\nid = "r"\nphase = "{LONG}"',
        f'{RULE}"mail"\nreply = "\\u0142{LONG}"',
        f'{RULE}"mail"\nwhen = {{ source = "{LONG}" }}',
        f'{RULE}"content"\nwhen = {{ verdict = ["{LONG}", "{LONG}"] }}',
    ],
    ids=lambda line: line[-20:],
)
def test_however_long_a_wrong_value_is_its_error_is_short(line: str) -> None:
    with pytest.raises(RulebookError) as raised:
        parse(line)
    assert 10 < len(str(raised.value)) < 800
