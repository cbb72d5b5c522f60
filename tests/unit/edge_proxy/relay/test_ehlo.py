import pytest

from edge_proxy.relay.ehlo import ALLOWED, ALLOWED_WITHOUT_TLS


@pytest.mark.parametrize(
    "keyword",
    b"PIPELINING SIZE 8BITMIME SMTPUTF8 DSN ENHANCEDSTATUSCODES AUTH STARTTLS DELIVERBY "
    b"MT-PRIORITY REQUIRETLS LIMITS HELP".split(),
)
def test_what_clients_need_is_let_through(keyword: bytes) -> None:
    assert keyword in ALLOWED


@pytest.mark.parametrize(
    "keyword", b"CHUNKING BINARYMIME BURL XEXCH50 XCLIENT XFORWARD TURN ATRN X-ANYTHING".split()
)
def test_what_we_could_not_follow_is_not(keyword: bytes) -> None:
    assert keyword not in ALLOWED


def test_without_tls_nothing_is_offered_that_needs_it() -> None:
    assert sorted(ALLOWED - ALLOWED_WITHOUT_TLS) == [b"REQUIRETLS", b"STARTTLS"]


def test_keywords_are_written_as_they_are_compared() -> None:
    assert all(keyword == keyword.upper() for keyword in ALLOWED)
