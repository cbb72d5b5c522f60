import itertools
from dataclasses import replace

import pytest

from rulebook.conditions import Matches, MatchesNot
from rulebook.evaluate import SILENT, evaluate
from rulebook.networks import NetworkSet
from rulebook.patterns import Pattern
from rulebook.values import (
    Action,
    Condition,
    Facts,
    Mode,
    On,
    Phase,
    Rule,
    Rulebook,
    Ruling,
    Sanction,
    TlsTreatment,
)
from smtpgated_contracts.values.scan import EngineClass

FACTS = Facts(source="192.0.2.7")
ENDING = (Action.ADMIT, Action.REFUSE, Action.DEFER)


def _yes(facts: Facts) -> bool:
    return facts is FACTS


def _no(facts: Facts) -> bool:
    return facts is not FACTS


def rule(
    name: str, action: Action = Action.NOTE, mode: Mode = Mode.ENFORCE, *, lock_s: int = 0
) -> Rule:
    return Rule(name, Phase.MAIL, action, mode=mode, reply=f"by {name}", lock_s=lock_s)


def ruled(*rules: Rule, exempt: tuple[str, ...] = ()) -> Ruling:
    rulebook = Rulebook(rules={Phase.MAIL: rules}, exempt=NetworkSet.parse(exempt))
    return evaluate(rulebook, Phase.MAIL, FACTS)


def test_without_rules_nobody_speaks() -> None:
    assert evaluate(Rulebook(), Phase.MAIL, FACTS) is SILENT


def test_rules_of_other_phases_are_not_asked() -> None:
    rulebook = Rulebook(rules={Phase.RCPT: (rule("a", Action.REFUSE),)})
    assert evaluate(rulebook, Phase.MAIL, FACTS) is SILENT


@pytest.mark.parametrize(
    ("conditions", "speaks"),
    [((), True), ((_yes,), True), ((_yes, _yes), True), ((_yes, _no), False), ((_no,), False)],
)
def test_all_conditions_must_hold(conditions: tuple[object, ...], speaks: bool) -> None:
    asked = Rule("a", Phase.MAIL, Action.REFUSE, conditions=conditions)  # type: ignore[arg-type]
    assert (ruled(asked) != SILENT) is speaks


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(ENDING, 2)))
def test_the_first_that_admits_refuses_or_defers_ends_the_phase(
    first: Action, second: Action
) -> None:
    ruling = ruled(rule("a", first), rule("b", second, lock_s=60), rule("c"))
    assert ruling == Ruling(action=first, rule_id="a", reply="by a")


def test_what_does_not_decide_adds_up_on_the_way() -> None:
    ruling = ruled(
        rule("a", Action.SKIP_SPAM),
        rule("b"),
        rule("c", Action.SKIP_VIRUS),
        rule("d", Action.MASK_TLS),
        rule("e", Action.REFUSE),
        rule("f"),
    )
    assert ruling.skip == {EngineClass.SPAM, EngineClass.VIRUS}
    assert ruling.starttls is TlsTreatment.MASK
    assert ruling.noted == ("a", "b", "c", "d")
    assert (ruling.action, ruling.rule_id) == (Action.REFUSE, "e")


def test_the_first_treatment_of_starttls_counts() -> None:
    assert ruled(rule("a", Action.REFUSE_TLS), rule("b", Action.TUNNEL_TLS)).starttls is (
        TlsTreatment.REFUSE
    )


@pytest.mark.parametrize("action", Action)
def test_a_rule_in_shadow_is_told_and_never_bites(action: Action) -> None:
    ruling = ruled(rule("a", action, Mode.SHADOW, lock_s=60))
    assert ruling == Ruling(shadows=("a",))


def test_a_rule_in_shadow_does_not_end_the_phase() -> None:
    ruling = ruled(rule("a", Action.ADMIT, Mode.SHADOW), rule("b", Action.REFUSE))
    assert (ruling.rule_id, ruling.shadows) == ("b", ("a",))


def test_a_shadow_behind_the_decision_is_not_told() -> None:
    assert ruled(rule("a", Action.ADMIT), rule("b", Action.REFUSE, Mode.SHADOW)).shadows == ()


@pytest.mark.parametrize("action", Action)
def test_every_rule_that_bites_is_told_once(action: Action) -> None:
    ruling = ruled(rule("a", action))
    told = [*([ruling.rule_id] if ruling.rule_id else []), *ruling.noted]
    assert told == ["a"]


def test_locks_are_those_of_the_rules_that_bit() -> None:
    ruling = ruled(
        rule("a", lock_s=10),
        rule("b", lock_s=20, mode=Mode.SHADOW),
        rule("c"),
        rule("d", Action.REFUSE, lock_s=30),
        rule("e", lock_s=40),
    )
    assert [(each.cause, each.lock_s) for each in ruling.sanctions] == [("a", 10), ("d", 30)]


@pytest.mark.parametrize(
    ("exempt", "sanctions"), [(("192.0.2.0/24",), ()), ((), (Sanction("a", lock_s=60),))]
)
def test_an_exempt_source_is_judged_and_not_locked(
    exempt: tuple[str, ...], sanctions: tuple[Sanction, ...]
) -> None:
    ruling = ruled(rule("a", Action.REFUSE, lock_s=60), exempt=exempt)
    assert ruling.action is Action.REFUSE
    assert ruling.sanctions == sanctions


def test_asking_changes_no_facts() -> None:
    before = Facts(source="192.0.2.7")
    ruled(rule("a", Action.SKIP_VIRUS, lock_s=1), rule("b", Action.REFUSE))
    assert before == FACTS


def test_requiring_authentication_ends_the_phase_for_who_has_not_authenticated() -> None:
    rulebook = Rulebook({Phase.MAIL: (rule("a", Action.REQUIRE_AUTH), rule("b", Action.ADMIT))})
    stranger = evaluate(rulebook, Phase.MAIL, FACTS)
    assert (stranger.action, stranger.rule_id) == (Action.REQUIRE_AUTH, "a")
    known = evaluate(rulebook, Phase.MAIL, replace(FACTS, authenticated=True))
    assert (known.action, known.rule_id, known.noted) == (Action.ADMIT, "b", ())


def test_profiles_and_relaying_unread_add_up() -> None:
    one = replace(rule("a", Action.LIMIT_PROFILE), profile="dial-up")
    other = replace(rule("b", Action.LIMIT_PROFILE), profile="new")
    ruling = ruled(one, rule("c", Action.RELAY_UNREAD), other)
    assert (ruling.profiles, ruling.relay_unread) == (("dial-up", "new"), True)
    assert ruled(rule("a")).relay_unread is False


def test_a_sanction_says_who_bears_what() -> None:
    points = replace(rule("a"), points=2.5, on=On.PREFIX)
    both = replace(rule("b", lock_s=60), points=1.0, on=On.AUTH_USER)
    assert ruled(points, both).sanctions == (
        Sanction("a", On.PREFIX, 0, 2.5),
        Sanction("b", On.AUTH_USER, 60, 1.0),
    )


NEVER_ENDING = Matches("helo_matches", (Pattern.parse("(a+)+$"),))
NOT_NEVER_ENDING = MatchesNot("helo_matches_not", NEVER_ENDING.patterns)
CUTS = replace(FACTS, helo=b"a" * 400 + b"b")


@pytest.mark.parametrize("condition", [NEVER_ENDING, NOT_NEVER_ENDING])
@pytest.mark.parametrize("action", Action)
def test_a_pattern_that_was_cut_holds_for_nothing_that_a_stranger_may_wish_for(
    condition: Condition, action: Action
) -> None:
    wished_for = action in {
        *(Action.ADMIT, Action.SKIP_SPAM, Action.SKIP_VIRUS, Action.TUNNEL_TLS),
        Action.RELAY_UNREAD,
    }
    asked = Rule("a", Phase.MAIL, action, (condition,))
    ruling = evaluate(Rulebook({Phase.MAIL: (asked,)}), Phase.MAIL, CUTS)
    assert ruling.cut == ("a",)
    assert ("a" not in (ruling.rule_id, *ruling.noted)) is wished_for


def test_what_was_cut_is_told_once_a_rule() -> None:
    twice = Rule("a", Phase.MAIL, Action.REFUSE, (NEVER_ENDING, NOT_NEVER_ENDING))
    other = Rule("b", Phase.MAIL, Action.REFUSE, (NEVER_ENDING,))
    rulebook = Rulebook({Phase.MAIL: (replace(twice, mode=Mode.SHADOW), other)})
    ruling = evaluate(rulebook, Phase.MAIL, CUTS)
    assert (ruling.cut, ruling.shadows, ruling.rule_id) == (("a", "b"), ("a",), "b")
