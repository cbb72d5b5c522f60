import pytest

from edge_proxy.events.names import GROUPS, EventGroup, EventName, of_decision, of_rule
from rulebook.document import parse
from rulebook.values import Phase

RULEBOOK = parse("""
schema = 1
[[dnsbl]]
zone = "list.example"
[[rules]]
id = "pc"
phase = "helo"
when = { helo_matches = ["^pc"] }
action = "refuse"
[[rules]]
id = "forged"
phase = "mail"
when = { authenticated = false, spf = ["fail"] }
action = "refuse"
[[rules]]
id = "listed"
phase = "mail"
when = { dnsbl = ["list.example"] }
action = "refuse"
[[rules]]
id = "large"
phase = "mail"
when = { size_over_octets = 9 }
action = "refuse"
[[rates]]
id = "bad:senders"
count = "mail-rejections"
per = "source"
limit = 1
window_s = 60
action = "defer"
""")


@pytest.mark.parametrize(
    ("phase", "rule_id", "name"),
    [
        (Phase.HELO, "pc", EventName.REGEX_HELO),
        (Phase.MAIL, "forged", EventName.SPF),
        (Phase.MAIL, "listed", EventName.DNSBL),
        (Phase.MAIL, "large", EventName.RULE),
        (Phase.RCPT, "pc", EventName.RULE),
    ],
)
def test_a_rule_is_told_under_the_old_name_of_what_it_looks_at(
    phase: Phase, rule_id: str, name: EventName
) -> None:
    assert of_rule(rule_id, phase, RULEBOOK) is name


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
    assert of_rule(rule_id, Phase.HELO, RULEBOOK) is name


@pytest.mark.parametrize(
    ("cause", "name"),
    [
        ("limit:concurrent_sessions_per_source", EventName.MAX_HOST),
        ("local limit:concurrent_sessions_per_source", EventName.MAX_HOST),
        ("limit:concurrent_sessions_per_identity", EventName.MAX_IDENT),
        ("limit:concurrent_sessions", None),
        ("limit:recipients_per_source", EventName.RATELIMIT),
        ("limit:bad:senders", EventName.RATELIMIT_MAILFROM_REJECTS),
        ("local rate:bad:senders", EventName.RATELIMIT_MAILFROM_REJECTS),
        ("lock:infected", None),
        ("policy was never seen", None),
    ],
)
def test_a_limit_that_was_reached_is_told_under_the_old_name(
    cause: str, name: EventName | None
) -> None:
    assert of_decision(cause, RULEBOOK) is name
