from rulebook.document import parse
from rulebook.explain import ConditionAsked, Outcome, RuleConsidered, explain
from rulebook.values import Action, Facts, Mode, Phase

BOOK = parse(
    """
    schema = 1
    [[rules]]
    id = "trusted"
    phase = "mail"
    when = { source = "192.0.2.0/24", helo_matches = "(a+)+$" }
    action = "admit"
    [[rules]]
    id = "tried"
    phase = "mail"
    when = { authenticated = false }
    action = "note"
    mode = "shadow"
    [[rules]]
    id = "asked"
    phase = "mail"
    action = "require-auth"
    [[rules]]
    id = "late"
    phase = "mail"
    action = "refuse"
    [[rules]]
    id = "of another phase"
    phase = "helo"
    action = "refuse"
    """
)


def holds(key: str) -> ConditionAsked:
    return ConditionAsked(key, Outcome.HOLDS)


def test_every_rule_of_the_phase_is_told_with_each_of_its_conditions() -> None:
    facts = Facts("192.0.2.7", helo=b"a" * 400 + b"b")
    assert explain(BOOK, Phase.MAIL, facts) == (
        RuleConsidered(
            "trusted",
            Action.ADMIT,
            Mode.ENFORCE,
            (holds("source"), ConditionAsked("helo_matches", Outcome.CUT)),
            holds=False,
            reached=True,
            bit=False,
            ended=False,
        ),
        RuleConsidered(
            "tried",
            Action.NOTE,
            Mode.SHADOW,
            (holds("authenticated"),),
            holds=True,
            reached=True,
            bit=False,
            ended=False,
        ),
        RuleConsidered(
            "asked",
            Action.REQUIRE_AUTH,
            Mode.ENFORCE,
            (holds("authenticated"),),
            holds=True,
            reached=True,
            bit=True,
            ended=True,
        ),
        RuleConsidered(
            "late",
            Action.REFUSE,
            Mode.ENFORCE,
            (),
            holds=True,
            reached=False,
            bit=False,
            ended=False,
        ),
    )


def test_conditions_behind_one_that_fails_are_told_as_well() -> None:
    trusted = explain(BOOK, Phase.MAIL, Facts("203.0.113.7", helo=b"aaa"))[0]
    assert trusted.conditions == (
        ConditionAsked("source", Outcome.FAILS),
        holds("helo_matches"),
    )
    assert not trusted.holds


def test_a_phase_without_rules_has_nothing_to_tell() -> None:
    assert explain(BOOK, Phase.RCPT, Facts("192.0.2.7")) == ()
