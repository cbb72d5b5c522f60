import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_proxy.events.names import EventName
from edge_proxy.events.occurrence import (
    LONGEST_VALUE,
    Occurrence,
    arguments,
    environment,
    safe_octets,
)
from tests.unit.edge_proxy.events.occurrences import session, virus

LEGACY_NAMES = [
    "PROXY_NAME", "FOUND", "VIRUS_NAME", "SPAM_SCORE", "SOURCE_IP", "SOURCE_PORT",
    "TARGET_IP", "TARGET_PORT", "LOCAL_IP", "LOCAL_PORT", "IDENT", "IDENT_COUNT",
    "HELO", "MAIL_FROM", "RCPTS_TOTAL", "SIZE", "TRANSACTION", "AUTH",
    "SPOOL_NAME", "LOCK_FILE", "LOCK_DURATION", "TIME", "UNIXTIME",
]  # fmt: skip


def test_the_arguments_are_those_of_the_old_program() -> None:
    assert arguments(virus()) == ("VIRUS", "192.0.2.7", "subscriber-17", "198.51.100.25")
    nobody = Occurrence(EventName.MAX_HOST, session(identity=""), 0)
    assert arguments(nobody) == ("MAX_HOST", "192.0.2.7", "-", "198.51.100.25")


def test_the_environment_has_every_variable_of_the_old_program() -> None:
    told = environment(
        virus(
            helo=b"pc.example",
            mail_from=b"a@example.com",
            virus="Test-Signature",
            score=7.25,
            sessions=3,
            recipients=4,
            size_octets=1234,
            transaction=2,
            auth=3,
            lock_s=3600,
            rule_id="infected",
            disposition="refuse",
            reply_code=550,
        ),
        "mx.isp.example",
        ("192.0.2.1", 9199),
    )
    assert set(LEGACY_NAMES) <= set(told)
    assert {name: told[name] for name in LEGACY_NAMES} == {
        "PROXY_NAME": "mx.isp.example",
        "FOUND": "VIRUS",
        "VIRUS_NAME": "Test-Signature",
        "SPAM_SCORE": "7.250",
        "SOURCE_IP": "192.0.2.7",
        "SOURCE_PORT": "40000",
        "TARGET_IP": "198.51.100.25",
        "TARGET_PORT": "25",
        "LOCAL_IP": "192.0.2.1",
        "LOCAL_PORT": "9199",
        "IDENT": "subscriber-17",
        "IDENT_COUNT": "3",
        "HELO": "pc.example",
        "MAIL_FROM": "a@example.com",
        "RCPTS_TOTAL": "4",
        "SIZE": "1234",
        "TRANSACTION": "2",
        "AUTH": "3",
        "SPOOL_NAME": "",
        "LOCK_FILE": "",
        "LOCK_DURATION": "3600",
        "TIME": time.ctime(1_700_000_000),
        "UNIXTIME": "1700000000",
    }


def test_the_edges_own_environment_stays_with_the_edge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_PROXY_SECRET", "x")
    told = environment(virus(), "", ("", 0))
    assert set(told) - set(LEGACY_NAMES) == {
        "PATH", "LANG", "EDGE_ID", "SESSION_ID", "RULE_ID", "DISPOSITION", "REPLY_CODE"
    }  # fmt: skip


@given(st.binary(max_size=600), st.text(max_size=600))
def test_no_stranger_puts_a_control_character_or_a_long_text_into_it(
    octets: bytes, text: str
) -> None:
    about = virus(helo=octets, mail_from=octets, virus=text, rule_id=text)
    for value in environment(about, "", ("", 0)).values():
        assert value.isprintable()
        assert len(value) <= LONGEST_VALUE
        value.encode()


@pytest.mark.parametrize(
    ("octets", "shown"),
    [(b"a\0b\r\nc", "a#b##c"), (b"\xff", "#"), ("ü".encode(), "ü"), (b"$(id) \"'", "$(id) \"'")],
)
def test_what_cannot_be_printed_is_a_hash(octets: bytes, shown: str) -> None:
    assert safe_octets(octets) == shown
