import pytest

from rulebook.document import parse
from rulebook.errors import RulebookError
from rulebook.reading.rates import LONGEST_WINDOW_S, MOST_RATES
from rulebook.values import Action, Counted, Mode, On, Penalty, Per, Rate, Rulebook, Stage

RATE = '[[rates]]\nid = "r"\ncount = "messages"\nper = "source"\nlimit = 10\nwindow_s = 60\n'


def parsed(text: str) -> Rulebook:
    return parse(f"schema = 1\n{text}")


def test_a_rate_needs_little_and_can_say_much() -> None:
    least, most = parsed(
        RATE
        + """
        [[rates]]
        id = "much"
        count = "mail-rejections"
        per = "sender-domain"
        limit = 5
        window_s = 3600
        action = "refuse"
        reply = "Too many"
        mode = "shadow"
        profile = "dial-up"
        lock_s = 600
        points = 1.5
        on = "auth-user"
        """
    ).rates
    assert least == Rate("r", Counted.MESSAGES, Per.SOURCE, 10, 60)
    assert least.action is Action.DEFER
    assert most == Rate(
        "much",
        Counted.MAIL_REJECTIONS,
        Per.SENDER_DOMAIN,
        5,
        3600,
        Action.REFUSE,
        "Too many",
        Mode.SHADOW,
        "dial-up",
        600,
        1.5,
        On.AUTH_USER,
    )


def test_what_is_counted_is_known_without_looking_at_every_rate() -> None:
    assert parsed(RATE).counted == {Counted.MESSAGES}
    assert parsed("").counted == set()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"messages"', '"mails"', "rates[0].count = 'mails': should be one of sessions"),
        ('"source"', '"host"', "rates[0].per = 'host': should be one of total"),
        ("limit = 10", "", "rates[0].limit = 0: should be a whole number from 1"),
        ("limit = 10", "limit = 1.5", "rates[0].limit = 1.5"),
        ("window_s = 60", "", "rates[0].window_s = 0"),
        ("window_s = 60", f"window_s = {LONGEST_WINDOW_S + 1}", "should be at most 2764800"),
        ("limit = 10", 'limit = 10\naction = "admit"', "should be defer or refuse"),
        ("limit = 10", 'limit = 10\nburst = "2"', "rates[0].burst: no such key"),
        ("limit = 10", 'limit = 10\nprofile = "Dial Up"', "rates[0].profile = 'Dial Up'"),
        ('id = "r"', "", "rates[0].id = None"),
    ],
)
def test_a_mistake_in_a_rate_is_named_with_its_place(old: str, new: str, said: str) -> None:
    with pytest.raises(RulebookError) as error:
        parsed(RATE.replace(old, new))
    assert str(error.value).startswith("line 2: rates[0]")
    assert said in str(error.value)


def test_rates_are_bounded_in_number() -> None:
    rates = "".join(RATE.replace('"r"', f'"{number}"') for number in range(MOST_RATES + 1))
    with pytest.raises(RulebookError, match="rates: should be at most"):
        parsed(rates)


def test_without_stages_points_have_no_consequence() -> None:
    assert parsed("").penalty == Penalty()
    assert not parsed("").penalty.stages


def test_stages_hold_from_points_that_grow() -> None:
    penalty = parsed(
        "[penalty]\nhalf_life_s = 600\nthrottle_share = 0.5\n"
        "stages = { refuse = 100, watch = 10, throttle = 25.5 }"
    ).penalty
    assert (penalty.half_life_s, penalty.throttle_share) == (600, 0.5)
    assert penalty.stages == {Stage.WATCH: 10, Stage.THROTTLE: 25.5, Stage.REFUSE: 100}
    assert list(penalty.stages) == [Stage.WATCH, Stage.THROTTLE, Stage.REFUSE]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("half_life_s = 0", "penalty.half_life_s = 0"),
        ("throttle_share = 1.5", "penalty.throttle_share = 1.5: should be from 0 to 1"),
        ("throttle_share = -1", "penalty.throttle_share = -1"),
        ("stages = { ban = 5 }", "penalty.stages.ban: no such key"),
        ("stages = { watch = 0 }", "penalty.stages.watch = 0: should be a number from 0"),
        (
            "stages = { watch = 10, refuse = 10 }",
            "penalty.stages.refuse = 10: should be more than watch = 10",
        ),
        ("stages = 7", "penalty.stages = 7: should be a table"),
        ("forget = 7", "penalty.forget: no such key"),
    ],
)
def test_a_mistake_in_the_penalty_is_named(text: str, said: str) -> None:
    with pytest.raises(RulebookError) as error:
        parsed(f"[penalty]\n{text}")
    assert said in str(error.value)
