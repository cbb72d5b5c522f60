import pytest

from rulebook.document import parse
from rulebook.errors import RulebookError
from rulebook.values import Offence, On, Sanction


def test_what_no_rule_answers_may_cost_something() -> None:
    sanctions = parse(
        """
        schema = 1
        [sanctions]
        early_talker = { lock_s = 600, on = "address" }
        concurrent_sessions_per_source = { points = 5 }
        """
    ).sanctions
    assert sanctions == {
        Offence.EARLY_TALKER: Sanction("early_talker", On.ADDRESS, 600),
        Offence.SESSIONS_PER_SOURCE: Sanction("concurrent_sessions_per_source", points=5),
    }
    assert parse("schema = 1").sanctions == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("late_talker = {}", "sanctions.late_talker: no such key; known: concurrent_sessions"),
        ("early_talker = 5", "sanctions.early_talker = 5: should be a table"),
        ("early_talker = { lock = 5 }", "sanctions.early_talker.lock: no such key"),
        ("early_talker = { lock_s = -5 }", "sanctions.early_talker.lock_s = -5"),
        ('early_talker = { on = "all" }', "sanctions.early_talker.on = 'all'"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, said: str) -> None:
    with pytest.raises(RulebookError) as error:
        parse(f"schema = 1\n[sanctions]\n{text}")
    assert said in str(error.value)
