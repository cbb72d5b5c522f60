"""Any document is a rulebook or told; however rules are found, they say the same."""

import json
from dataclasses import replace
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st

from rulebook.bundles import bundled, can_be_bundled
from rulebook.conditions import (
    AnyOf,
    FoundMatches,
    InDomains,
    InNetworks,
    Matches,
    MatchesNot,
    OneOf,
    Over,
)
from rulebook.document import parse
from rulebook.errors import RulebookError
from rulebook.evaluate import evaluate, judge
from rulebook.explain import explain
from rulebook.index import whole
from rulebook.networks import NetworkSet
from rulebook.patterns import Pattern, PatternCutError
from rulebook.reading.conditions import CONDITIONS
from rulebook.values import (
    Action,
    Condition,
    Counted,
    Facts,
    Mode,
    On,
    Per,
    Phase,
    Rule,
    Rulebook,
    SpfResult,
    Stage,
)
from smtpgated_contracts.values.scan import VerdictKind

# Documents

_WORDS: Final = st.sampled_from(
    [
        *("", "a", "source", "192.0.2.0/24", "::/0", "bl.example.org", "(a+)+$", "(", "\ud800"),
        *(each.value for kind in (Action, Phase, Mode, On, Counted, Per) for each in kind),
        *(each.value for kind in (SpfResult, VerdictKind, Stage) for each in kind),
    ]
)
_SCALARS: Final = (
    _WORDS
    | st.integers(-1, 100)
    | st.sampled_from([10**13, 10**400, 0.5, float("nan"), float("inf"), None])
    | st.booleans()
)
_VALUES: Final = _SCALARS | st.lists(_SCALARS, max_size=3)
_KEYS: Final = st.sampled_from(
    [
        *("id", "phase", "action", "mode", "reply", "lock_s", "points", "on", "profile", "count"),
        *("per", "limit", "window_s", "zone", "answers", "on_failure", "address", "stages"),
        *("half_life_s", "throttle_share", "limit_octets", "oversize", "stances", "sources"),
        *("watch", "refuse", "virus", "concurrent_sessions"),
    ]
)
_WHEN: Final = st.dictionaries(st.sampled_from(sorted(CONDITIONS)), _VALUES, max_size=3)
_LIKELY: Final = st.fixed_dictionaries(
    {"id": st.text(max_size=3), "phase": st.sampled_from(Phase), "action": st.sampled_from(Action)},
    optional={"when": _WHEN, "on": _VALUES, "points": _VALUES, "reply": _VALUES, "mode": _VALUES},
)
_TABLES: Final = st.dictionaries(_KEYS, _VALUES | st.dictionaries(_KEYS, _VALUES, max_size=2))
_DOCUMENTS: Final = st.fixed_dictionaries(
    {"schema": st.just(1)},
    optional={
        **dict.fromkeys(("limits", "scanning", "exempt", "penalty", "spf"), _TABLES | _VALUES),
        **dict.fromkeys(("rules",), st.lists(_LIKELY | _TABLES, max_size=4) | _VALUES),
        **dict.fromkeys(("rates", "dnsbl"), st.lists(_TABLES, max_size=3) | _VALUES),
        "starttls": _VALUES,
    },
)


def _taken(text: str) -> bool:
    told = ""
    try:
        parse(text)
    except RulebookError as error:
        told = str(error)
    assert len(told) < 2000
    return not told


@given(st.text())
def test_any_text_is_a_rulebook_or_told(text: str) -> None:
    _taken(text)
    _taken(f"schema = 1\n{text}")
    _taken(f'{{"schema": 1, {text}')


@given(_DOCUMENTS)
def test_any_document_is_a_rulebook_or_told(document: dict[str, Any]) -> None:
    _taken(json.dumps(document))


@given(st.lists(_LIKELY.map(lambda rule: {**rule, "id": "r", "when": {}}), max_size=1))
def test_a_rule_that_is_permitted_is_taken(rules: list[dict[str, Any]]) -> None:
    for key in ("on", "points", "reply", "mode"):
        for rule in rules:
            rule.pop(key, None)
    taken = _taken(json.dumps({"schema": 1, "rules": rules}))
    assert taken or rules[0]["action"] not in {Action.ADMIT, Action.REFUSE, Action.NOTE}


# Rules

_ADDRESSES: Final = st.sampled_from(["192.0.2.7", "192.0.3.7", "2001:db8::7", "no address", ""])
_NETWORKS: Final = st.lists(
    st.sampled_from(
        ["192.0.2.0/24", "192.0.0.0/16", "192.0.2.7", "0.0.0.0/0", "2001:db8::/32", "::/0"]
    ),
    min_size=1,
    max_size=2,
).map(NetworkSet.parse)
_NAMES: Final = st.sampled_from(["", "a", "b.a", "c.b.a", "ba"])
_SOME_NAMES: Final = st.frozensets(_NAMES, min_size=1, max_size=3)
_PATTERNS: Final = st.lists(
    st.sampled_from(["a", "^b", r"\.a$", "(?i)C", r"(.)\1", "^$", "(?:a|b)+c", "[^.]{2}"]),
    min_size=1,
    max_size=3,
).map(lambda texts: tuple(map(Pattern.parse, texts)))
_CONDITIONS: Final = st.one_of(
    st.builds(InNetworks, st.sampled_from(["source", "destination"]), _NETWORKS),
    st.builds(OneOf, st.sampled_from(["identity", "auth_user"]), _SOME_NAMES),
    st.builds(
        OneOf,
        st.sampled_from(["authenticated", "auth_offered"]),
        st.sampled_from([frozenset({True}), frozenset({False})]),
    ),
    st.builds(OneOf, st.just("destination_port"), st.sampled_from([frozenset({25, 587})])),
    st.builds(OneOf, st.just("spf"), st.frozensets(st.sampled_from(SpfResult), max_size=3)),
    st.builds(OneOf, st.just("verdict"), st.frozensets(st.sampled_from(VerdictKind), max_size=3)),
    st.builds(AnyOf, st.just("dnsbl"), _SOME_NAMES),
    st.builds(
        InDomains, st.sampled_from(["sender_domain", "recipient_domain"]), _SOME_NAMES, _SOME_NAMES
    ),
    st.builds(Over, st.just("load_over"), st.sampled_from([0.5, 2.0])),
    st.builds(Matches, st.sampled_from(["helo_matches", "mail_from_matches"]), _PATTERNS),
    st.builds(MatchesNot, st.sampled_from(["helo_matches_not"]), _PATTERNS),
    st.builds(FoundMatches, st.just("found_matches"), _PATTERNS),
)
_RULES: Final = st.builds(
    Rule,
    id=st.just(""),
    phase=st.just(Phase.MAIL),
    action=st.sampled_from([*(Action.NOTE,) * 10, *Action]),
    conditions=st.lists(_CONDITIONS, min_size=1, max_size=2).map(tuple[Condition, ...]),
    mode=st.sampled_from(Mode),
    lock_s=st.sampled_from([0, 60]),
    profile=st.just("p"),
)
_OCTETS: Final = _NAMES.map(str.encode) | st.just(b"C.b")
_FACTS: Final = st.builds(
    Facts,
    source=_ADDRESSES,
    destination=_ADDRESSES,
    destination_port=st.sampled_from([25, 465, 587]),
    identity=_NAMES,
    helo=_OCTETS,
    reverse_path=_OCTETS.map(lambda domain: b"a@" + domain) | _OCTETS,
    recipient=_OCTETS.map(lambda domain: b"a@" + domain),
    authenticated=st.booleans(),
    verdict=st.none() | st.sampled_from(VerdictKind),
    auth_user=_OCTETS,
    auth_offered=st.booleans(),
    spf=st.none() | st.sampled_from(SpfResult),
    dnsbl=_SOME_NAMES,
    load=st.sampled_from([0.0, 1.0, 4.0]),
    found=st.lists(_NAMES, max_size=2).map(tuple[str, ...]),
)


def _rulebook(rules: list[Rule]) -> Rulebook:
    named = tuple(replace(rule, id=str(ordinal)) for ordinal, rule in enumerate(rules))
    return Rulebook({Phase.MAIL: named})


@given(
    st.lists(_RULES, min_size=3, max_size=12).map(_rulebook),
    st.lists(_FACTS, min_size=8, max_size=12),
)
def test_rules_say_the_same_however_they_are_found(book: Rulebook, said: list[Facts]) -> None:
    for facts in said:
        plain = judge(book, map(whole, book.rules[Phase.MAIL]), facts)
        assert evaluate(book, Phase.MAIL, facts) == plain


@given(st.lists(_RULES, max_size=8).map(_rulebook), _FACTS)
def test_what_is_explained_is_what_was_ruled(book: Rulebook, facts: Facts) -> None:
    ruling = evaluate(book, Phase.MAIL, facts)
    explained = explain(book, Phase.MAIL, facts)
    assert [each.rule_id for each in explained if each.ended] == [
        *([ruling.rule_id] if ruling.rule_id else [])
    ]
    assert tuple(each.rule_id for each in explained if each.bit and not each.ended) == ruling.noted
    shadows = (each for each in explained if each.holds and each.reached)
    assert tuple(each.rule_id for each in shadows if each.mode is Mode.SHADOW) == ruling.shadows


_SYNTAX: Final = st.sampled_from(
    [
        *("(", ")", "[", "]", "{1,3}", "*", "+", "?", "|", "^", "$", ".", "\\", "(?", "(*", "(?R)"),
        *(
            "(?:",
            "(?=",
            "(?<!",
            "(?<n>",
            r"\1",
            r"\g{1}",
            r"\Q",
            r"\x{",
            r"\p{L}",
            "(*UTF)",
            "(*F)",
        ),
        *("(?C1)", "(?(1)", "(?>", r"\K", "a", "b", "1", "@", ".example", "\u0142", "\x00", "(?i)"),
    ]
)


@given(st.lists(_SYNTAX, max_size=12).map("".join), st.binary(max_size=60))
def test_any_pattern_finds_or_does_not_or_is_cut_or_was_told(text: str, octets: bytes) -> None:
    pattern = _pattern(text)
    if pattern is None:
        return
    try:
        found = pattern.found_in(octets)
    except PatternCutError:
        return
    assert pattern.found_in(octets) is found


_PIECES: Final = st.sampled_from(
    [*("a", "b", ".", r"\.", "^", "$", "(a|b)", "[^a]", "(?i)", "(?:", ")", "|", "+", "*", "(?=a)")]
)


@given(st.lists(st.lists(_PIECES, min_size=1, max_size=5), max_size=4), st.text("abA.", max_size=8))
def test_what_a_bundle_does_not_find_none_of_its_patterns_finds(
    pieces: list[list[str]], text: str
) -> None:
    patterns = [each for each in map(_pattern, map("".join, pieces)) if each is not None]
    patterns = list(filter(can_be_bundled, patterns))
    bundle = bundled(patterns) if patterns else None
    if bundle is not None:
        found = any(each.found_in(text.encode()) for each in patterns)
        assert bundle.may_be_found_in(text.encode()) is found


def _pattern(text: str) -> Pattern | None:
    try:
        return Pattern.parse(text)
    except RulebookError:
        return None
