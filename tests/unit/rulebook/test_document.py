import json

import pytest

from rulebook.defaults import DEFAULT_DOCUMENT
from rulebook.document import MAX_DOCUMENT_OCTETS, parse
from rulebook.errors import RulebookError
from rulebook.reading.fields import MAX_REPLY_CHARACTERS
from rulebook.values import (
    Action,
    Limits,
    Mode,
    Oversize,
    Phase,
    Rulebook,
    Scanning,
    Stance,
    TlsTreatment,
)
from smtpgated_contracts.values.scan import EngineClass

RULE = '[[rules]]\nid = "a"\nphase = "mail"\naction = "refuse"\n'


def parsed(text: str = "") -> Rulebook:
    return parse(f"schema = 1\n{text}")


def test_the_least_document_has_usable_values() -> None:
    assert parsed() == Rulebook(
        rules={}, limits=Limits(), scanning=Scanning(), starttls=TlsTreatment.TUNNEL
    )


def test_every_key_of_the_document_arrives_in_its_place() -> None:
    rulebook = parsed(
        """
        starttls = "mask"
        [limits]
        concurrent_sessions = 7
        concurrent_sessions_per_source = 3
        [exempt]
        sources = ["192.0.2.0/24"]
        [scanning]
        limit_octets = 1000
        oversize = "head"
        stances = { spam = "closed" }
        profile = "strict-1"
        [[rules]]
        id = "no-spam"
        phase = "content"
        when = { verdict = "suspect", score_at_least = 7 }
        action = "refuse"
        mode = "shadow"
        reply = "No"
        lock_s = 60
        """
    )
    assert rulebook.starttls is TlsTreatment.MASK
    assert rulebook.limits == Limits(7, 3)
    assert rulebook.exempt.covers("192.0.2.1")
    assert rulebook.scanning == Scanning(
        limit_octets=1000,
        oversize=Oversize.HEAD,
        stances={EngineClass.VIRUS: Stance.CLOSED, EngineClass.SPAM: Stance.CLOSED},
        profile="strict-1",
    )
    [rule] = rulebook.rules[Phase.CONTENT]
    assert (rule.id, rule.action, rule.mode) == ("no-spam", Action.REFUSE, Mode.SHADOW)
    assert (rule.reply, rule.lock_s, len(rule.conditions)) == ("No", 60, 2)


def test_rules_keep_the_order_of_the_document_within_their_phase() -> None:
    rules = "".join(
        f'[[rules]]\nid = "{name}"\nphase = "{phase}"\naction = "note"\n'
        for name, phase in (("a", "mail"), ("b", "helo"), ("c", "mail"), ("d", "mail"))
    )
    rulebook = parsed(rules)
    assert [rule.id for rule in rulebook.rules[Phase.MAIL]] == ["a", "c", "d"]
    assert [rule.id for rule in rulebook.rules[Phase.HELO]] == ["b"]
    assert set(rulebook.rules) == {Phase.MAIL, Phase.HELO}


def test_the_default_document_is_a_rulebook_that_refuses_and_locks() -> None:
    rulebook = parse(DEFAULT_DOCUMENT)
    infected, suspect = rulebook.rules[Phase.CONTENT]
    assert (infected.action, infected.lock_s) == (Action.REFUSE, 3600)
    assert (suspect.action, suspect.lock_s) == (Action.REFUSE, 0)
    assert rulebook.scanning.stances == {
        EngineClass.VIRUS: Stance.CLOSED,
        EngineClass.SPAM: Stance.OPEN,
    }
    assert rulebook.exempt.covers("127.0.0.1")
    assert rulebook.exempt.covers("::1")
    assert not rulebook.exempt.covers("192.0.2.1")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("schema = 1\nschema = 1", "not TOML"),
        ("schema = ", "not TOML"),
        ("schema = 1\nrules = " + "[" * 100_000, "not TOML"),
        ("schema = " + "1" * 10_000, "not TOML"),
        ("", "schema = None"),
        ("schema = 2", "schema = 2"),
        ('schema = "1"', "schema = '1'"),
        ("schema = 1\nshema = 1", "document.shema"),
        ('schema = 1\nstarttls = "maybe"', "starttls = 'maybe'"),
        ("schema = 1\nlimits = 7", "document.limits = 7"),
        ("schema = 1\n[limits]\nsessions = 7", "limits.sessions"),
        ("schema = 1\n[limits]\nconcurrent_sessions = -1", "limits.concurrent_sessions = -1"),
        (f"schema = 1\n[limits]\nconcurrent_sessions = {10**13}", "limits.concurrent_sessions = 1"),
        ("schema = 1\n[limits]\nconcurrent_sessions = true", "limits.concurrent_sessions = True"),
        ("schema = 1\n[limits]\nconcurrent_sessions = 1.5", "limits.concurrent_sessions = 1.5"),
        ("schema = 1\n[scanning]\nlimit_octets = 0", "scanning.limit_octets = 0"),
        ('schema = 1\n[scanning]\noversize = "drop"', "scanning.oversize = 'drop'"),
        ('schema = 1\n[scanning]\nstances = "open"', "scanning.stances = 'open'"),
        ('schema = 1\n[scanning.stances]\nvirus = "ajar"', "scanning.stances.virus = 'ajar'"),
        ('schema = 1\n[scanning.stances]\nworm = "open"', "scanning.stances.worm"),
        ('schema = 1\n[scanning]\nspeed = "fast"', "scanning.speed: no such key"),
        ('schema = 1\n[scanning]\nprofile = "Fast!"', "scanning.profile = 'Fast!'"),
        ("schema = 1\n[scanning]\nprofile = 1", "scanning.profile = 1"),
        (
            'schema = 1\n[[rules]]\nid = "a"\nphase = "content"\naction = "skip-virus-scan"',
            "not in phase content",
        ),
        (
            'schema = 1\n[[rules]]\nid = "a"\nphase = "mail"\naction = "mask-starttls"',
            "not in phase mail",
        ),
        (
            (
                'schema = 1\n[[rules]]\nid = "a"\nphase = "mail"\naction = "refuse"\n'
                'when = { verdict = "clean" }'
            ),
            "when.verdict: no such key",
        ),
        ('schema = 1\n[exempt]\nsources = "::1"', "exempt.sources: '::1'"),
        ('schema = 1\n[exempt]\nsources = ["nobody"]', "exempt.sources: 'nobody'"),
        ("schema = 1\n[exempt]\nsource = []", "document.exempt.source|exempt.source"),
        ("schema = 1\nexempt = 1", "document.exempt = 1"),
        ("schema = 1\nrules = 7", "rules: should be"),
        ("schema = 1\nrules = [7]", "rules: should be"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, place: str) -> None:
    with pytest.raises(RulebookError) as error:
        parse(text)
    assert any(each in str(error.value) for each in place.split("|"))


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('id = "a"', "", "rules[0].id = None"),
        ('id = "a"', 'id = ""', "rules[0].id = ''"),
        ('id = "a"', "id = 7", "rules[0].id = 7"),
        ('id = "a"', 'id = "a\\nb"', "rules[0].id"),
        ('id = "a"', f'id = "{"a" * 65}"', "rules[0].id"),
        ('phase = "mail"', "", "rules[0].phase = None"),
        ('phase = "mail"', 'phase = "dinner"', "rules[0].phase = 'dinner'"),
        ('action = "refuse"', "", "rules[0].action = None"),
        ('action = "refuse"', 'action = "block"', "rules[0].action = 'block'"),
        ('action = "refuse"', 'action = "refuse"\nmode = "test"', "rules[0].mode = 'test'"),
        ('action = "refuse"', 'action = "refuse"\nlock = 60', "rules[0].lock"),
        ('action = "refuse"', 'action = "refuse"\nlock_s = -1', "rules[0].lock_s = -1"),
        ('action = "refuse"', 'action = "refuse"\nwhen = 7', "rules[0].when = 7"),
        ('action = "refuse"', 'action = "refuse"\nwhen = { day = 7 }', "rules[0].when.day"),
        (
            'action = "refuse"',
            'action = "refuse"\nwhen = { source = "x" }',
            "rules[0].when.source: 'x' is not a network",
        ),
    ],
)
def test_a_mistake_in_a_rule_is_named_with_its_place(old: str, new: str, place: str) -> None:
    with pytest.raises(RulebookError) as error:
        parsed(RULE.replace(old, new))
    assert place in str(error.value)


@pytest.mark.parametrize(
    "reply", ["two\\nlines", "tab\\there", "nul\\u0000", "\\u00e9", "\\r\\n250 Ok", "\\u007f"]
)
def test_a_reply_is_one_line_of_printable_ascii(reply: str) -> None:
    with pytest.raises(RulebookError, match=r"rules\[0\]\.reply"):
        parsed(f'{RULE}reply = "{reply}"')


def test_a_reply_fits_the_line_of_rfc_5321() -> None:
    longest = "x" * MAX_REPLY_CHARACTERS
    [rule] = parsed(f'{RULE}reply = "{longest}"').rules[Phase.MAIL]
    assert rule.reply == longest
    with pytest.raises(RulebookError, match=r"rules\[0\]\.reply"):
        parsed(f'{RULE}reply = "{longest}x"')


def test_two_rules_of_one_name_are_an_error() -> None:
    with pytest.raises(RulebookError, match=r"rules\[1\]\.id = 'a'"):
        parsed(RULE + RULE)


def test_a_document_is_bounded() -> None:
    comment = "#" + "x" * MAX_DOCUMENT_OCTETS
    with pytest.raises(RulebookError, match="larger than"):
        parsed(comment)


def test_json_is_the_same_rulebook() -> None:
    rule = {"id": "a", "phase": "mail", "action": "refuse", "when": {"helo_matches": "^a"}}
    document = {"schema": 1, "starttls": "mask", "rules": [rule], "limits": {}}
    assert parse(f" \n{json.dumps(document)}") == parsed(
        f'starttls = "mask"\n{RULE}when = {{ helo_matches = "^a" }}'
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ('{"schema": 1} x', "not JSON"),
        ('{"schema": 1, "schema": 1}', "not JSON: key 'schema' is given twice"),
        ('{"a":' * 100_000, "not JSON: nested too deeply"),
        (f'{{"schema": {"1" * 10_000}}}', "not JSON"),
        ('{"schema": true}', "schema = True: should be 1"),
        ('{"schema": 1.5}', "schema = 1.5: should be 1"),
        ('{"schema": 1, "rules": {"a": 1}}', "rules: should be written as [[rules]] tables"),
        ('{"schema": 1, "rules": [{"id": 7}]}', "rules[0].id = 7"),
        ('{"schema": 1, "penalty": {"half_life_s": NaN}}', "penalty.half_life_s = nan"),
    ],
)
def test_a_mistake_in_json_is_named_with_its_place(text: str, said: str) -> None:
    with pytest.raises(RulebookError) as error:
        parse(text)
    assert str(error.value).startswith(said)
