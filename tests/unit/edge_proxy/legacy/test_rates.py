"""Rates that the old program knew, and what it really did with each."""

import pytest

from edge_proxy.legacy.documents import documents
from edge_proxy.legacy.draft import Draft, File
from edge_proxy.legacy.translate import translate
from rulebook.document import parse
from rulebook.values import Action, Counted, Mode, Per, Rate

_FIXED = "mode fixed\nfixed_server 198.51.100.25\n"


def draft(text: str, mode: str = _FIXED) -> Draft:
    return translate(f"{mode}{text}")[1]


def rates(text: str, mode: str = _FIXED) -> tuple[Rate, ...]:
    return parse(documents(draft(text, mode))[File.RULEBOOK]).rates


@pytest.mark.parametrize(
    ("directive", "counted", "name"),
    [
        ("connections", Counted.SESSIONS, "ratelimit:connections"),
        ("messages", Counted.MESSAGES, "ratelimit:messages"),
        ("recipients", Counted.RECIPIENTS, "ratelimit:recipients"),
        ("mailfrom_rejects", Counted.MAIL_REJECTIONS, "ratelimit-mailfrom-rejects"),
        ("rcptto_rejects", Counted.RCPT_REJECTIONS, "ratelimit-rcptto-rejects"),
    ],
)
def test_what_was_limited_is_limited(directive: str, counted: Counted, name: str) -> None:
    (rate,) = rates(f"ratelimit_expiration 600\nratelimit_{directive} 7\nlock_duration 60")
    assert (rate.id, rate.count, rate.per) == (name, counted, Per.SOURCE)
    assert (rate.limit, rate.window_s, rate.action) == (7, 600, Action.DEFER)
    assert (rate.lock_s, rate.mode) == (60 if "rejects" in name else 0, Mode.ENFORCE)


@pytest.mark.parametrize("directive", ["bytes", "auth_rejects"])
def test_what_was_counted_in_vain_is_in_shadow(directive: str) -> None:
    (rate,) = rates(f"ratelimit_expiration 600\nratelimit_{directive} 7")
    assert rate.mode is Mode.SHADOW


@pytest.mark.parametrize("directive", ["helo", "mailfrom", "rcptto"])
def test_what_was_never_counted_is_said(directive: str) -> None:
    made = draft(f"ratelimit_expiration 600\nratelimit_{directive} 7")
    (said,) = made.became[f"ratelimit_{directive}"]
    assert "never acted on it" in said
    assert not made.lacking


def test_destinations_are_remembered_for_a_time_of_their_own() -> None:
    text = "ratelimit_expiration 600\nratelimit_dst 5\nratelimit_dst_expiration"
    (rate,) = rates(f"{text} 60")
    assert (rate.count, rate.limit, rate.window_s) == (Counted.DESTINATIONS, 5, 60)
    assert rates(f"{text} -1") == ()


def test_without_a_window_nothing_was_limited() -> None:
    assert rates("ratelimit_messages 7") == ()


def test_behind_routers_subscribers_are_counted_and_not_the_router() -> None:
    (rate,) = rates("ratelimit_expiration 600\nratelimit_messages 7", "mode remote\n")
    assert rate.per is Per.IDENTITY


def test_a_window_of_years_is_one_of_a_month() -> None:
    made = draft("ratelimit_expiration 99999999\nratelimit_messages 7")
    assert any("at most" in each for each in made.became["ratelimit_expiration"])
    parse(documents(made)[File.RULEBOOK])


def test_the_operators_own_words_are_kept() -> None:
    text = "ratelimit_expiration 600\nratelimit_messages 7\nmsg_ratelimit_messages Slowly"
    assert rates(text)[0].reply == "Slowly"
