import pytest

from rulebook.document import parse
from rulebook.values import Oversize, Rulebook, Ruling, Scanning, Stance
from smtpgated_contracts.values.scan import EngineClass


def test_what_nobody_said_is_on_the_safe_side() -> None:
    scanning = Scanning()
    assert scanning.stances[EngineClass.VIRUS] is Stance.CLOSED
    assert scanning.oversize is Oversize.REFUSE


def test_every_class_of_engines_has_a_stance() -> None:
    assert set(Scanning().stances) == set(EngineClass)


def test_rulebooks_do_not_share_their_tables() -> None:
    assert Scanning().stances is not Scanning().stances
    assert Rulebook().rules is not Rulebook().rules


def test_a_ruling_says_nothing_by_itself() -> None:
    ruling = Ruling()
    assert ruling.action is None
    assert ruling.starttls is None
    assert not [*ruling.skip, *ruling.sanctions, *ruling.noted, *ruling.shadows]


def test_only_zones_that_a_rule_names_are_asked() -> None:
    document = """
schema = 1
dnsbl = [{zone = "a.example"}, {zone = "b.example"}, {zone = "c.example"}]
rules = [
  {id = "1", phase = "data", when = {dnsbl = ["c.example", "a.example"]}, action = "refuse"},
  {id = "2", phase = "mail", when = {dnsbl = "a.example"}, action = "note", mode = "shadow"},
]
"""
    assert [each.zone for each in parse(document).zones_asked] == ["a.example", "c.example"]
    assert parse("schema = 1\n").zones_asked == ()


def _with_rates(*counted: str) -> Rulebook:
    return parse(
        "schema = 1\n"
        + "".join(
            f'[[rates]]\nid = "{each}"\ncount = "{each}"\nper = "source"\nlimit = 1\n'
            'window_s = 60\naction = "defer"\n'
            for each in counted
        )
    )


@pytest.mark.parametrize(
    ("counted", "of_mail", "of_content", "rejections"),
    [
        ((), False, False, False),
        (("sessions", "destinations"), False, False, False),
        (("messages",), False, True, False),
        (("octets",), False, True, False),
        (("recipients",), True, True, False),
        (("auth-rejections",), True, False, True),
    ],
)
def test_policy_is_asked_only_about_what_is_counted(
    counted: tuple[str, ...], *, of_mail: bool, of_content: bool, rejections: bool
) -> None:
    rulebook = _with_rates(*counted)
    assert (rulebook.limits_mail, rulebook.limits_content) == (of_mail, of_content)
    assert rulebook.counts_rejections is rejections


@pytest.mark.parametrize("phase", ["mail", "rcpt", "content"])
def test_spf_is_wanted_where_a_rule_depends_on_it(phase: str) -> None:
    rule = f'[[rules]]\nid = "x"\nphase = "{phase}"\nwhen.spf = ["fail"]\naction = "refuse"\n'
    assert parse(f"schema = 1\n{rule}").wants_spf
    assert not parse("schema = 1\n").wants_spf
