import pytest

from edge_proxy.relay.ehlo import ALLOWED, offer
from edge_proxy.relay.settings import CoreSettings
from edge_proxy.smtp.replies import ReplyReader
from rulebook.values import TlsTreatment

TUNNEL, MASK = TlsTreatment.TUNNEL, TlsTreatment.MASK


def offered(
    *keywords: bytes,
    settings: CoreSettings | None = None,
    starttls: TlsTreatment = TUNNEL,
    added: int = 0,
) -> list[bytes]:
    """What the client is offered when the server offers ``keywords``."""
    reader = ReplyReader()
    reader.feed(b"".join(b"250-%b\r\n" % each for each in (b"mx", *keywords)) + b"250 HELP\r\n")
    reply = reader.take_reply()
    assert reply is not None
    lines = offer(reply, settings or CoreSettings(), starttls, added).splitlines()
    assert [line[3:4] for line in lines] == [b"-"] * (len(lines) - 1) + [b" "]
    return [line[4:] for line in lines[1:] if line[4:] != b"HELP"]


@pytest.mark.parametrize(
    "keyword",
    b"PIPELINING SIZE 8BITMIME SMTPUTF8 DSN ENHANCEDSTATUSCODES AUTH STARTTLS DELIVERBY "
    b"MT-PRIORITY REQUIRETLS LIMITS HELP CHUNKING BINARYMIME".split(),
)
def test_what_clients_need_is_let_through(keyword: bytes) -> None:
    assert keyword in ALLOWED


@pytest.mark.parametrize("keyword", b"BURL XEXCH50 XCLIENT XFORWARD TURN ATRN X-ANYTHING".split())
def test_what_we_could_not_follow_is_not(keyword: bytes) -> None:
    assert offered(keyword) == []


def test_without_tls_nothing_is_offered_that_needs_it() -> None:
    assert offered(b"STARTTLS", b"REQUIRETLS", b"DSN", starttls=MASK) == [b"DSN"]


def test_without_chunks_nothing_is_offered_that_needs_them() -> None:
    without = CoreSettings(chunking=False)
    assert offered(b"CHUNKING", b"BINARYMIME", b"DSN", settings=without) == [b"DSN"]


def test_keywords_are_written_as_they_are_compared() -> None:
    assert all(keyword == keyword.upper() for keyword in ALLOWED)


@pytest.mark.parametrize(
    ("theirs", "ours", "told"),
    [
        (b"SIZE 1000", 0, b"SIZE 1000"),
        (b"SIZE 1000", 2000, b"SIZE 1000"),
        (b"SIZE 1000", 1000, b"SIZE 1000"),
        (b"SIZE 1000", 999, b"SIZE 999"),
        (b"size  1000 ", 999, b"SIZE 999"),
        (b"SIZE", 999, b"SIZE 999"),
        (b"SIZE", 0, b"SIZE"),
        (b"SIZE 0", 999, b"SIZE 999"),
        (b"SIZE 0", 0, b"SIZE 0"),
        (b"SIZE many", 0, b"SIZE many"),
        (b"SIZE many", 999, b"SIZE 999"),
        (b"SIZE 99999999999999999999", 999, b"SIZE 999"),
    ],
)
def test_the_smaller_size_is_told(theirs: bytes, ours: int, told: bytes) -> None:
    assert offered(theirs, settings=CoreSettings(size_limit_octets=ours)) == [told]


def test_our_size_is_told_where_the_server_has_none() -> None:
    assert offered(settings=CoreSettings(size_limit_octets=999)) == [b"SIZE 999"]


def test_what_we_add_to_a_message_is_taken_from_the_servers_size_and_not_from_ours() -> None:
    assert offered(b"SIZE 1000", added=100) == [b"SIZE 900"]
    assert offered(b"SIZE 50", added=100) == [b"SIZE 1"]
    assert offered(b"SIZE 0", added=100) == [b"SIZE 0"]
    ours = CoreSettings(size_limit_octets=950)
    assert offered(b"SIZE 1000", settings=ours, added=10) == [b"SIZE 950"]


@pytest.mark.parametrize(
    ("theirs", "told"),
    [
        (b"LIMITS MAILMAX=5 RCPTMAX=100", b"LIMITS MAILMAX=5 RCPTMAX=50"),
        (b"LIMITS RCPTDOMAINMAX=1", b"LIMITS RCPTDOMAINMAX=1 MAILMAX=10 RCPTMAX=50"),
        (b"LIMITS mailmax=99 X=y", b"LIMITS mailmax=10 X=y RCPTMAX=50"),
        (b"DSN", b"LIMITS MAILMAX=10 RCPTMAX=50"),
    ],
)
def test_the_smaller_limits_are_told(theirs: bytes, told: bytes) -> None:
    ours = CoreSettings(most_mails=10, most_recipients=50)
    assert offered(theirs, settings=ours)[-1] == told


def test_limits_pass_where_we_have_none() -> None:
    assert offered(b"LIMITS RCPTMAX=100") == [b"LIMITS RCPTMAX=100"]
