"""Rates that one worker keeps alone, while policy is away."""

import pytest

from edge_proxy.local_rates import LocalRates
from rulebook.document import parse
from rulebook.values import Rulebook
from smtpgated_contracts.values.asked import DataAsked, MailAsked, SessionAsked
from smtpgated_contracts.values.mail import Envelope
from smtpgated_contracts.values.policy import Decision, DecisionKind
from tests.support.samples import session_ref

BOOK = parse("""
schema = 1
[[rates]]
id = "messages"
count = "messages"
per = "source"
limit = 2
window_s = 60
action = "refuse"
reply = "enough"
[[rates]]
id = "recipients"
count = "recipients"
per = "sender-domain"
limit = 5
window_s = 60
[[rates]]
id = "sessions"
count = "sessions"
per = "total"
limit = 1
window_s = 60
[[rates]]
id = "watched"
count = "messages"
per = "total"
limit = 1
window_s = 60
mode = "shadow"
[penalty]
throttle_share = 0.5
""")
ENOUGH = Decision(DecisionKind.REFUSE, "local limit:messages", reply="enough")


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rates(clock: Clock) -> LocalRates:
    return LocalRates(clock)


def data(recipients: int = 1, sender: bytes = b"a@b.example") -> DataAsked:
    to = tuple(b"r%d@c.example" % number for number in range(recipients))
    return DataAsked(session_ref(), 1, Envelope(b"me", sender, to))


def decided(
    rates: LocalRates,
    asked: SessionAsked | MailAsked | DataAsked,
    book: Rulebook = BOOK,
    *,
    exempt: bool = False,
    throttled: bool = False,
) -> Decision | None:
    return rates.decide(book, asked, exempt=exempt, throttled=throttled)


def test_a_limit_is_kept_and_its_window_slides(rates: LocalRates, clock: Clock) -> None:
    assert [decided(rates, data()) for _ in range(3)] == [None, None, ENOUGH]
    clock.now_s += 66
    assert decided(rates, data()) is None


def test_of_two_rates_none_is_spent_when_one_says_no(rates: LocalRates) -> None:
    refused = decided(rates, data(6))
    assert refused is not None
    assert refused.cause == "local limit:recipients"
    assert [decided(rates, data(2)) for _ in range(2)] == [None, None]


def test_mail_is_told_what_is_left_and_spends_nothing(rates: LocalRates) -> None:
    decided(rates, data(3))
    mail = MailAsked(session_ref(), 2, Envelope(b"me", b"x@B.example"))
    told = [decided(rates, mail) for _ in range(2)]
    assert [each.recipients_left for each in told if each] == [2, 2]


def test_an_exempt_source_meets_the_rates_that_are_not_its_own(rates: LocalRates) -> None:
    assert [decided(rates, data(0), exempt=True) for _ in range(4)] == [None] * 4
    session = SessionAsked(session_ref())
    assert decided(rates, session, exempt=True) is None
    assert decided(rates, session, exempt=True) is not None


def test_who_is_throttled_has_a_part_of_it(rates: LocalRates) -> None:
    assert decided(rates, data(), throttled=True) is None
    assert decided(rates, data(), throttled=True) == ENOUGH


def test_windows_are_bounded(clock: Clock) -> None:
    few = LocalRates(clock, most_windows=2)
    for number in range(20):
        decided(few, MailAsked(session_ref(), 1, Envelope(b"me", b"a@d%d.example" % number)))
    assert len(few._windows) == 2
