import pytest

from rulebook.errors import RulebookError
from rulebook.places import located

TEXT = """\
schema = 1
[[rules]]
id = "a"
# [[rules]] of this farm
  [[ rules ]]
id = "b"
[[rates]]
"""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("rules[0].id = 7", "line 2: rules[0].id = 7"),
        ("rules[1].when.source: no", "line 5: rules[1].when.source: no"),
        ("rates[0].limit: no", "line 7: rates[0].limit: no"),
        ("rules[2].id = 7", "rules[2].id = 7"),
        ("limits.zzz: no such key", "limits.zzz: no such key"),
    ],
)
def test_a_table_is_found_by_counting_headers(error: str, said: str) -> None:
    assert str(located(RulebookError(error), TEXT)) == said


def test_tables_written_otherwise_have_no_line() -> None:
    error = RulebookError("rules[0].id = 7")
    assert str(located(error, '{"rules": [{"id": 7}]}')) == str(error)
