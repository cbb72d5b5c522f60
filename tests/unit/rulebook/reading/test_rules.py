import pytest

from rulebook.document import parse
from rulebook.errors import RulebookError
from rulebook.permitted import ACTIONS
from rulebook.permitted import CONDITIONS as OF_PHASE
from rulebook.reading.conditions import CONDITIONS
from rulebook.reading.rules import MOST_PATTERNS, MOST_RULES
from rulebook.values import Action, On, Phase, Rule

RULE = '[[rules]]\nid = "a"\nphase = "mail"\naction = "refuse"\n'
RATE = (
    '[[rates]]\nid = "r"\ncount = "messages"\nper = "source"\nlimit = 1\nwindow_s = 60\n'
    'profile = "dial-up"\n'
)


def first_rule(text: str) -> Rule:
    rulebook = parse(f"schema = 1\n{text}")
    return next(iter(rulebook.rules.values()))[0]


def problem(text: str) -> str:
    with pytest.raises(RulebookError) as error:
        parse(f"schema = 1\n{text}")
    return str(error.value)


def test_what_a_subject_bears_arrives() -> None:
    rule = first_rule(f'{RULE}lock_s = 60\npoints = 2.5\non = "prefix"')
    assert (rule.lock_s, rule.points, rule.on) == (60, 2.5, On.PREFIX)
    assert first_rule(RULE).on is On.SOURCE


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("points = -1", "line 2: rules[0].points = -1: should be a number from 0"),
        ('points = "many"', "rules[0].points: 'many' should be a number"),
        ("points = inf", "rules[0].points: inf should be a number"),
        ('on = "host"', "rules[0].on = 'host': should be one of source, address, prefix"),
        ('profile = "dial-up"', "should be given with action limit-profile, and only then"),
        ('when = { rcpt_to_matches = "a" }', "rules[0].when.rcpt_to_matches: no such key"),
        ('when = { dnsbl = "bl.example" }', "rules[0].when.dnsbl: 'bl.example' is the zone of no"),
        ('when = { helo_matches = "(" }', "rules[0].when.helo_matches: '(' is not a pattern"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_place(text: str, said: str) -> None:
    assert said in problem(RULE + text)


def test_a_limit_profile_is_one_that_a_rate_has() -> None:
    profile = RULE.replace("refuse", "limit-profile")
    assert "should be given with action limit-profile" in problem(profile)
    assert "'dial-up': no rate has it" in problem(f'{profile}profile = "dial-up"')
    assert first_rule(f'{profile}profile = "dial-up"\n{RATE}').profile == "dial-up"


def test_rules_and_rates_share_their_names() -> None:
    assert "rates[0].id = 'a': another rule or rate" in problem(RULE + RATE.replace('"r"', '"a"'))


def test_patterns_are_asked_last() -> None:
    rule = first_rule(RULE + 'when = { helo_matches = "a", load_over = 1, source = "::1" }')
    assert [each.key for each in rule.conditions] == ["load_over", "source", "helo_matches"]


def test_rules_are_bounded_in_number() -> None:
    rules = "".join(RULE.replace('"a"', f'"{number}"') for number in range(MOST_RULES + 1))
    assert f"should be at most {MOST_RULES}" in problem(rules)


def test_patterns_are_bounded_in_number_over_all_rules() -> None:
    twenty = f"when = {{ helo_matches = {['x'] * 20} }}\n"
    rules = "".join(
        RULE.replace('"a"', f'"{number}"') + twenty for number in range(MOST_PATTERNS // 20 + 1)
    )
    assert f"at most {MOST_PATTERNS} patterns" in problem(rules)


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_says_which_actions_and_conditions_it_knows(phase: Phase) -> None:
    assert {Action.ADMIT, Action.REFUSE, Action.DEFER, Action.NOTE} <= ACTIONS[phase]
    assert OF_PHASE[phase] <= set(CONDITIONS)


def test_every_action_and_condition_is_known_in_some_phase() -> None:
    assert set().union(*ACTIONS.values()) == set(Action)
    assert set().union(*OF_PHASE.values()) == set(CONDITIONS)
