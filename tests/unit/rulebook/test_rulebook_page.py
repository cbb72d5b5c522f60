"""docs/rulebook.md: every example is a rulebook, every word of the language is explained."""

import re
from dataclasses import fields
from enum import StrEnum
from pathlib import Path
from typing import Final

import pytest

from rulebook.dns import CLIENT, EGRESS
from rulebook.document import MAX_DOCUMENT_OCTETS, parse
from rulebook.patterns import MATCH_LIMIT, MOST_CHARACTERS
from rulebook.permitted import ACTIONS
from rulebook.permitted import CONDITIONS as OF_PHASE
from rulebook.reading.conditions import CONDITIONS
from rulebook.reading.conditions import MOST_PATTERNS as MOST_OF_ONE
from rulebook.reading.dns import MOST_ZONES
from rulebook.reading.rates import MOST_RATES
from rulebook.reading.rules import MOST_PATTERNS, MOST_RULES
from rulebook.values import (
    Action,
    Counted,
    Limits,
    Mode,
    Offence,
    On,
    Oversize,
    Per,
    Phase,
    SpfResult,
    Stage,
    Stance,
    TlsTreatment,
    WithoutAnswer,
)
from smtpgated_contracts.values.scan import VerdictKind

PAGE: Final = (Path(__file__).parents[3] / "docs" / "rulebook.md").read_text()
EXAMPLES: Final = re.findall(r"^```(?:toml|json)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
KEYS: Final = {
    *("schema", "starttls", "profile", "lock_s", "points", "on", "reply", "mode", "when", "id"),
    *(CLIENT, EGRESS, "half_life_s", "throttle_share", "on_failure", "answers", "zone", "sources"),
    *("limit_octets", "oversize", "stances", *CONDITIONS, *(each.name for each in fields(Limits))),
}
CHOICES: Final[tuple[type[StrEnum], ...]] = (
    *(
        Action,
        Counted,
        Mode,
        On,
        Offence,
        Oversize,
        Per,
        Phase,
        SpfResult,
        Stage,
        Stance,
        TlsTreatment,
    ),
    *(WithoutAnswer, VerdictKind),
)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_a_rulebook(example: str) -> None:
    parse(example)


def test_every_word_of_the_language_is_on_the_page() -> None:
    words = KEYS.union(*CHOICES)
    missing = {word for word in words if not re.search(rf"(?<![\w-]){word}(?![\w-])", PAGE)}
    assert missing == set()


def test_every_condition_and_action_is_shown_in_an_example() -> None:
    used = "\n".join(EXAMPLES)
    shown = {each for each in CONDITIONS if re.search(rf"\b{each} =", used)}
    assert shown | {"auth_user", "verdict", "recipient_domain"} >= set(CONDITIONS) - {
        *("mail_from_matches", "mail_from_matches_not", "rcpt_to_matches_not"),
    }
    assert {each for each in Action if f'"{each}"' in used} >= set(Action) - {
        *(Action.SKIP_VIRUS, Action.TUNNEL_TLS),
    }


def test_bounds_are_those_in_force() -> None:
    assert MAX_DOCUMENT_OCTETS == 4 * 1024 * 1024
    assert "4 MiB" in PAGE
    for bound in (MOST_RULES, MOST_PATTERNS, MOST_RATES, MOST_ZONES, MATCH_LIMIT, MOST_CHARACTERS):
        assert f"{bound:,}" in PAGE
    assert f"{MOST_OF_ONE} a condition" in PAGE


def test_the_phase_that_a_condition_is_first_known_in_is_told_truly() -> None:
    phases = PAGE.partition("| phase | asked |")[2].partition("\n\n")[0]
    order = re.findall(r"^\| `(\w+)` \|", phases, re.MULTILINE)
    assert set(order) == set(Phase)
    rows = re.findall(r"^\| (`.*?`) \| .* \| (?:only )?`(\w+)` \|$", PAGE, re.MULTILINE)
    told = {key: phase for names, phase in rows for key in re.findall(r"`(\w+)`", names)}
    assert set(told) == set(CONDITIONS)
    for key, phase in told.items():
        assert next(each for each in order if key in OF_PHASE[Phase(each)]) == phase, key


def test_where_an_action_is_permitted_is_told_truly() -> None:
    table = PAGE.partition("### Actions")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]*`) \| ([^|]*) \|", table, re.MULTILINE)
    every = set(Phase)
    said = {"all": every, "all but `content`": every - {Phase.CONTENT}}
    told = {
        action: said.get(phases) or set(map(Phase, phases.strip("`").split()))
        for names, phases in rows
        for action in re.findall(r"`([\w-]+)`", names)
    }
    assert told == {
        action.value: {phase for phase in Phase if action in ACTIONS[phase]} for action in Action
    }
