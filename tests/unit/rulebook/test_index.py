import pytest

from rulebook.document import parse
from rulebook.evaluate import evaluate
from rulebook.index import PhaseIndex
from rulebook.values import Facts, Phase, Rulebook, SpfResult
from smtpgated_contracts.values.scan import VerdictKind

FACTS = Facts(
    "192.0.2.7",
    "198.51.100.25",
    587,
    "subscriber-17",
    b"mail.far.example",
    b"someone@Mail.Src.Example",
    b"abuse@far.example",
    authenticated=True,
    verdict=VerdictKind.SUSPECT,
    auth_user=b"user",
    auth_offered=True,
    spf=SpfResult.FAIL,
    dnsbl=frozenset({"bl.example.org"}),
)


def rulebook(*conditions: str, phase: Phase = Phase.MAIL, action: str = "note") -> Rulebook:
    """A rule for each condition, named by its place."""
    rules = "".join(
        f'[[rules]]\nid = "{ordinal}"\nphase = "{phase}"\naction = "{action}"\n'
        f"when = {{ {condition} }}\n"
        for ordinal, condition in enumerate(conditions)
    )
    return parse(
        "schema = 1\n" + rules + '[[dnsbl]]\nzone = "bl.example.org"\n'
        '[[dnsbl]]\nzone = "other.example.org"\n'
    )


def asked(index: PhaseIndex, facts: Facts) -> list[str]:
    return [candidate.rule.id for candidate in index.candidates(facts)]


@pytest.mark.parametrize(
    ("phase", "holds", "fails"),
    [
        (Phase.MAIL, 'identity = "subscriber-17"', 'identity = "subscriber-1"'),
        (Phase.MAIL, 'source = "192.0.2.0/24"', 'source = "192.0.2.8"'),
        (Phase.MAIL, 'source = ["2001:db8::/32", "192.0.0.0/8"]', 'source = "2001:db8::/32"'),
        (Phase.MAIL, 'destination = "198.51.100.25"', 'destination = "198.51.100.0/29"'),
        (Phase.MAIL, 'auth_user = "user"', 'auth_user = ""'),
        (Phase.MAIL, 'sender_domain = "mail.src.example"', 'sender_domain = "src.example"'),
        (Phase.MAIL, 'sender_domain = ".example"', 'sender_domain = ".far.example"'),
        (Phase.RCPT, 'recipient_domain = "far.example"', 'recipient_domain = ""'),
        (Phase.MAIL, 'dnsbl = "bl.example.org"', 'dnsbl = "other.example.org"'),
        (Phase.MAIL, 'spf = ["fail", "softfail"]', 'spf = "pass"'),
        (Phase.CONTENT, 'verdict = "suspect"', 'verdict = "infected"'),
        (Phase.MAIL, "destination_port = [25, 587]", "destination_port = 25"),
        (Phase.MAIL, "auth_offered = true", "auth_offered = false"),
        (Phase.MAIL, "authenticated = true", "authenticated = false"),
    ],
)
def test_a_rule_that_cannot_hold_is_not_asked(phase: Phase, holds: str, fails: str) -> None:
    both = rulebook(*(fails, holds, fails, fails), phase=phase)
    index = both.indices[phase]
    assert asked(index, FACTS) == ["1"]
    assert evaluate(both, phase, FACTS).noted == ("1",)


def test_rules_are_asked_in_their_order_however_they_were_found() -> None:
    mixed = rulebook(
        "load_over = -1", 'identity = "subscriber-17"', "load_over = -1", 'source = "192.0.2.7"'
    )
    assert evaluate(mixed, Phase.MAIL, FACTS).noted == ("0", "1", "2", "3")


def test_a_rule_is_filed_under_what_holds_for_the_fewest() -> None:
    narrow = rulebook('source = "192.0.2.0/24", identity = "nobody", authenticated = true')
    assert asked(narrow.indices[Phase.MAIL], FACTS) == []


def test_the_whole_internet_is_no_reason_to_file_a_rule() -> None:
    everybody = rulebook('source = ["0.0.0.0/0", "::/0"]')
    assert asked(everybody.indices[Phase.MAIL], Facts("no address")) == ["0"]
    assert evaluate(everybody, Phase.MAIL, Facts("no address")).noted == ()
    assert evaluate(everybody, Phase.MAIL, FACTS).noted == ("0",)


def test_the_other_conditions_of_a_rule_are_asked_still() -> None:
    narrow = rulebook('identity = "subscriber-17", load_over = 4')
    assert asked(narrow.indices[Phase.MAIL], FACTS) == ["0"]
    assert evaluate(narrow, Phase.MAIL, FACTS).noted == ()


def test_rules_with_patterns_are_asked_when_one_of_them_may_hold() -> None:
    patterns = rulebook(*(f"helo_matches = '{text}'" for text in ("near", "far", "off", "on")))
    assert asked(patterns.indices[Phase.MAIL], FACTS) == ["0", "1", "2", "3"]
    assert evaluate(patterns, Phase.MAIL, FACTS).noted == ("1",)
    assert asked(patterns.indices[Phase.MAIL], Facts("192.0.2.7", helo=b"elsewhere")) == []


def test_patterns_that_cannot_be_bundled_are_asked_one_by_one() -> None:
    patterns = [rf"helo_matches = '(far)\.\1|{ordinal}'" for ordinal in range(5)]
    assert len(asked(rulebook(*patterns).indices[Phase.MAIL], FACTS)) == 5


def test_more_patterns_than_one_bundle_holds_are_all_looked_for() -> None:
    patterns = [f"helo_matches = ['^host{ordinal}$', '^x{ordinal}$']" for ordinal in range(300)]
    many = rulebook(*patterns)
    for ordinal in (0, 124, 125, 126, 299):
        facts = Facts("192.0.2.7", helo=b"x%d" % ordinal)
        assert evaluate(many, Phase.MAIL, facts).noted == (str(ordinal),)
    assert asked(many.indices[Phase.MAIL], FACTS) == []


def test_requiring_authentication_is_a_condition_of_its_own() -> None:
    asks = rulebook("load_over = -1", action="require-auth")
    assert asked(asks.indices[Phase.MAIL], FACTS) == []
    assert asked(asks.indices[Phase.MAIL], Facts("192.0.2.7")) == ["0"]


def test_rules_with_too_few_patterns_to_bundle_keep_their_place() -> None:
    few = rulebook("helo_matches = 'far'", "load_over = -1", "helo_matches = 'mail'")
    assert evaluate(few, Phase.MAIL, FACTS).noted == ("0", "1", "2")


def test_one_pattern_that_cannot_be_bundled_keeps_its_rule_out_of_the_bundle() -> None:
    plain = [f"helo_matches = ['{ordinal}', '(l|m)+x']" for ordinal in range(3)]
    mixed = rulebook(*plain, r"helo_matches = ['x', '(a).*\1']")
    assert asked(mixed.indices[Phase.MAIL], Facts("192.0.2.7", helo=b"none")) == ["3"]
    assert evaluate(mixed, Phase.MAIL, FACTS).noted == ("3",)
