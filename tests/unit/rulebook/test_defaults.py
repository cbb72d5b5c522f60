import re

from rulebook.defaults import DEFAULT_DOCUMENT
from rulebook.document import parse
from rulebook.reading.conditions import CONDITIONS
from rulebook.values import (
    Action,
    Mode,
    On,
    Oversize,
    Per,
    Phase,
    Stage,
    Stance,
    TlsTreatment,
)

BOOK = parse(DEFAULT_DOCUMENT)


def test_the_default_document_explains_every_choice_it_makes() -> None:
    """It is the first thing an operator edits: each of these words must be in it."""
    words = (*TlsTreatment, *Oversize, *Stance, *Stage, "defer", "shadow", "client", "egress")
    for word in words:
        assert re.search(rf"# .*\b{word}\b|^#   {word} ", DEFAULT_DOCUMENT, re.MULTILINE), word


def test_the_default_document_uses_conditions_that_exist() -> None:
    used = [line for line in DEFAULT_DOCUMENT.splitlines() if line.startswith("when")]
    assert used
    assert all(any(key in line for key in CONDITIONS) for line in used)


def test_content_that_is_bad_is_refused_and_the_source_is_held_to_it() -> None:
    infected, suspect = BOOK.rules[Phase.CONTENT]
    assert (infected.action, infected.lock_s, infected.on) == (Action.REFUSE, 3600, On.SOURCE)
    assert (suspect.action, suspect.lock_s) == (Action.REFUSE, 0)
    assert 0 < suspect.points < infected.points


def test_nothing_is_asked_of_the_dns_unless_a_rule_says_so() -> None:
    assert BOOK.needs(*Phase) == set()


def test_rates_let_everybody_try_again_later() -> None:
    assert {each.action for each in BOOK.rates} == {Action.DEFER}
    assert {each.mode for each in BOOK.rates} == {Mode.ENFORCE}
    assert {each.per for each in BOOK.rates} == {Per.SOURCE}


def test_one_infected_message_is_watched_and_several_are_locked() -> None:
    infected = BOOK.rules[Phase.CONTENT][0]
    stages = BOOK.penalty.stages
    assert stages[Stage.THROTTLE] <= infected.points < stages[Stage.REQUIRE_AUTH]
    assert set(stages) == set(Stage)
