import pytest

from rulebook.document import parse
from rulebook.errors import RulebookError
from rulebook.values import Need, Phase, Rulebook, Spf, WithoutAnswer


def parsed(text: str) -> Rulebook:
    return parse(f"schema = 1\n{text}")


@pytest.mark.parametrize(
    ("written", "asked_about"),
    [
        ("", "192.0.2.7"),
        ('[spf]\naddress = "client"', "192.0.2.7"),
        ('[spf]\naddress = "egress"', "203.0.113.1"),
        ('[spf]\naddress = "198.51.100.9"', "198.51.100.9"),
        ('[spf]\naddress = "2001:DB8::0"', "2001:db8::"),
    ],
)
def test_spf_is_asked_about_the_address_that_is_meant(written: str, asked_about: str) -> None:
    assert parsed(written).spf.of("192.0.2.7", "203.0.113.1") == asked_about


def test_an_egress_address_that_nobody_knows_is_not_another_one() -> None:
    assert Spf("egress").of("192.0.2.7", "") == ""


def test_a_zone_counts_every_answer_of_the_loopback_unless_it_says_which() -> None:
    plain, narrow = parsed(
        '[[dnsbl]]\nzone = "bl.example.org"\n[[dnsbl]]\nzone = "all.example.org"\n'
        'answers = ["127.0.0.2", "127.0.1.0/24"]\non_failure = "listed"'
    ).dnsbl
    assert (plain.zone, plain.on_failure) == ("bl.example.org", WithoutAnswer.UNLISTED)
    assert plain.answers.covers("127.9.9.9")
    assert narrow.answers.covers("127.0.1.7")
    assert not narrow.answers.covers("127.0.0.3")
    assert narrow.on_failure is WithoutAnswer.LISTED


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[spf]\naddress = "me"', "spf.address: 'me' should be client, egress or an IP address"),
        ("[spf]\naddress = 7", "spf.address: 7 should be"),
        ("[spf]\nrecord = 7", "spf.record: no such key"),
        ("[[dnsbl]]", "line 2: dnsbl[0].zone = None"),
        ('[[dnsbl]]\nzone = "Bl.Example"', "dnsbl[0].zone = 'Bl.Example'"),
        ('[[dnsbl]]\nzone = "bl"', "dnsbl[0].zone = 'bl'"),
        (f'[[dnsbl]]\nzone = "{"a." * 90}example"', "dnsbl[0].zone"),
        ('[[dnsbl]]\nzone = "a.b"\nanswers = "x"', "dnsbl[0].answers: 'x' is not a network"),
        ('[[dnsbl]]\nzone = "a.b"\nanswers = []', "dnsbl[0].answers: [] should be"),
        ('[[dnsbl]]\nzone = "a.b"\non_failure = "open"', "dnsbl[0].on_failure = 'open'"),
        ('[[dnsbl]]\nzone = "a.b"\n' * 2, "dnsbl[1].zone = 'a.b': another has this zone"),
        ('[[dnsbl]]\nzone = "a.b"\n' * 33, "dnsbl: should be at most 32"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, said: str) -> None:
    with pytest.raises(RulebookError) as error:
        parsed(text)
    assert said in str(error.value)


def test_what_the_rules_need_of_the_dns_is_known_by_phase() -> None:
    rulebook = parsed(
        '[[dnsbl]]\nzone = "bl.example.org"\n'
        '[[rules]]\nid = "a"\nphase = "connect"\nwhen = { dnsbl = "bl.example.org" }\n'
        'action = "refuse"\n'
        '[[rules]]\nid = "b"\nphase = "rcpt"\nwhen = { spf = "fail" }\naction = "refuse"\n'
        '[[rules]]\nid = "c"\nphase = "data"\nwhen = { load_over = 4 }\naction = "defer"\n'
    )
    assert rulebook.needs(Phase.CONNECT) == {Need.DNSBL}
    assert rulebook.needs(Phase.MAIL) == set()
    assert rulebook.needs(Phase.MAIL, Phase.RCPT, Phase.DATA) == {Need.SPF}
    assert rulebook.needs() == set()
