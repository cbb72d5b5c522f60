import pytest

from edge_proxy.events.names import GROUPS, EventGroup, EventName, of_decision, of_rule


def test_every_event_can_be_turned_on() -> None:
    assert set(GROUPS) == set(EventName)
    assert set(GROUPS.values()) == set(EventGroup)


@pytest.mark.parametrize(
    ("rule_id", "name"),
    [
        ("regex-helo", EventName.REGEX_HELO),
        ("regex-helo:dialup", EventName.REGEX_HELO),
        ("regex-helo-like", EventName.RULE),
        ("spf", EventName.SPF),
        ("infected", EventName.RULE),
    ],
)
def test_a_rule_is_told_under_the_old_name_when_its_id_says_so(
    rule_id: str, name: EventName
) -> None:
    assert of_rule(rule_id) is name


@pytest.mark.parametrize(
    ("cause", "name"),
    [
        ("limit:concurrent_sessions_per_source", EventName.MAX_HOST),
        ("local limit:concurrent_sessions_per_source", EventName.MAX_HOST),
        ("limit:concurrent_sessions_per_identity", EventName.MAX_IDENT),
        ("limit:concurrent_sessions", None),
        ("limit:recipients_per_source", EventName.RATELIMIT),
        ("lock:infected", None),
        ("policy was never seen", None),
    ],
)
def test_a_limit_that_was_reached_is_told_under_the_old_name(
    cause: str, name: EventName | None
) -> None:
    assert of_decision(cause) is name
