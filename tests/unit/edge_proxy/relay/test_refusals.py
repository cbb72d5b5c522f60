import re

import pytest

from edge_proxy.relay import refusals
from edge_proxy.relay.refusals import Refusal, render

EVERY = {name: value for name, value in vars(refusals).items() if isinstance(value, Refusal)}
NAMES = sorted(EVERY)


@pytest.mark.parametrize("name", NAMES)
def test_the_status_has_the_class_of_the_code(name: str) -> None:
    refusal = EVERY[name]
    if refusal.code == 354:  # a 3xx has none (RFC 2034 §4)
        assert not refusal.status
        return
    assert re.fullmatch(r"[245]\.\d{1,3}\.\d{1,3}", refusal.status)
    assert refusal.status[0] == str(refusal.code)[0]


@pytest.mark.parametrize("name", NAMES)
def test_the_text_is_one_line_of_ascii(name: str) -> None:
    text = EVERY[name].text
    assert text
    assert text.isascii()
    assert text.isprintable()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("enhanced", [True, False])
def test_what_is_rendered_is_one_line_below_512_octets(name: str, enhanced: bool) -> None:
    octets = render(EVERY[name], enhanced=enhanced, name="edge.example")
    assert re.fullmatch(rb"[2345][0-9]{2} [\x20-\x7e]+\r\n", octets)
    assert len(octets) < 512


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_ours_is_named_to_strangers(name: str) -> None:
    words = set(EVERY[name].text.lower().split())
    assert not words & {"clamd", "clamav", "spamd", "yara", "rule", "policy", "redis", "edge"}


def test_250_is_never_said_for_a_message() -> None:
    assert [name for name in NAMES if EVERY[name].code == 250] == ["DONE"]


def test_the_parts_of_a_reply() -> None:
    refusal = Refusal(550, "5.7.1", "No")
    assert render(refusal, enhanced=True) == b"550 5.7.1 No\r\n"
    assert render(refusal, enhanced=False) == b"550 No\r\n"
    assert render(refusal, enhanced=True, name="mx.example") == b"550 5.7.1 mx.example No\r\n"


def test_an_operators_words_replace_the_text_and_nothing_else() -> None:
    refusal = Refusal(550, "5.7.1", "No")
    assert refusal.saying("Call us") == Refusal(550, "5.7.1", "Call us")
    assert refusal.saying("") is refusal


def test_what_is_not_ascii_leaves_as_ascii() -> None:
    assert render(Refusal(550, "5.7.1", "Zugriff für Sie nicht"), enhanced=False).isascii()


def test_the_longest_words_of_a_rule_fit_one_line() -> None:
    octets = render(Refusal(550, "5.7.1", "x" * 400), enhanced=True, name="n" * 80)
    assert len(octets) < 512
