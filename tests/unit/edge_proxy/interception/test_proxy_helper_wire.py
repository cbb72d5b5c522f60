"""The proxy-helper datagrams, octet by octet as documented for the old program."""

import pytest

from edge_proxy.interception.malformed import Malformed
from edge_proxy.interception.proxy_helper_wire import (
    Query,
    Reply,
    parse_query,
    parse_reply,
    render_query,
    render_reply,
)
from smtpgated_contracts.values.mail import Endpoint

# A query of the old program as it was seen on the wire.
SEEN_QUERY = bytes.fromhex(
    "52504844 2b46ae4d 11223344 0402 0001 7f000001 7f000001 e470 23e7".replace(" ", "")
) + bytes(38)
COOKIE = bytes.fromhex("2b46ae4d")
SECRET = bytes.fromhex("11223344")
QUERY = Query(COOKIE, SECRET, Endpoint("127.0.0.1", 58480), Endpoint("127.0.0.1", 9191))


def reply_octets(
    *,
    magic: str = "52504844",
    version: str = "0402",
    kind: str = "0012",
    identity: bytes = b"abc/def",
) -> bytes:
    before = f"{magic}2b46ae4d11223344{version}{kind}7f000001c6336419e4700019"
    return bytes.fromhex(before) + identity.ljust(32, b"\0") + bytes(6)


def test_a_query_is_what_the_old_program_sends() -> None:
    assert render_query(QUERY) == SEEN_QUERY
    assert parse_query(SEEN_QUERY) == QUERY


def test_a_reply_names_destination_and_identity() -> None:
    reply = Reply(COOKIE, SECRET, Endpoint("198.51.100.25", 25), b"abc/def")
    assert parse_reply(reply_octets()) == reply
    assert render_reply(QUERY, reply) == reply_octets()


def test_not_found_is_a_reply_without_destination() -> None:
    nothing = Reply(COOKIE, SECRET, None)
    assert parse_reply(reply_octets(kind="0022")) == nothing
    rendered = render_reply(QUERY, nothing)
    assert rendered[14:16] == bytes.fromhex("0022")
    assert rendered[20:24] + rendered[26:28] == bytes(6)
    assert parse_reply(rendered) == nothing


@pytest.mark.parametrize(
    ("identity", "read"),
    [
        (b"", b""),
        (b"abc\0rest of an older buffer", b"abc"),
        (b"x" * 32, b"x" * 32),
        (b"\xff\n\x1b[", b"\xff\n\x1b["),
    ],
)
def test_identity_ends_at_the_first_nul_and_is_not_judged_here(
    identity: bytes, read: bytes
) -> None:
    assert parse_reply(reply_octets(identity=identity)).identity == read


def test_a_longer_identity_is_cut_before_its_nul() -> None:
    rendered = render_reply(QUERY, Reply(COOKIE, SECRET, QUERY.local, b"y" * 40))
    assert rendered[28:60] == b"y" * 31 + b"\0"


@pytest.mark.parametrize("length", [0, 1, 65, 67, 1400])
def test_every_other_size_is_malformed(length: int) -> None:
    octets = (reply_octets() + bytes(1400))[:length]
    with pytest.raises(Malformed, match="octets instead of 66"):
        parse_reply(octets)
    with pytest.raises(Malformed, match="octets instead of 66"):
        parse_query(octets)


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (reply_octets(magic="52504845"), "magic"),
        (reply_octets(version="0401"), "version 0x0401"),
        (reply_octets(version="0204"), "version 0x0204"),
        (reply_octets(kind="0010"), "kind 0x0010"),
        (reply_octets(kind="0002"), "kind 0x0002"),
        (reply_octets(kind="0032"), "kind 0x0032"),
        (reply_octets(kind="0013"), "kind 0x0013"),
        (reply_octets(kind="8012"), "kind 0x8012"),
        (SEEN_QUERY, "kind 0x0001"),
    ],
)
def test_what_is_not_exactly_a_reply_is_malformed(octets: bytes, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        parse_reply(octets)


def test_a_reply_is_not_a_query() -> None:
    with pytest.raises(Malformed, match="not a query"):
        parse_query(reply_octets())


def test_secrets_are_not_shown() -> None:
    assert "11223344" not in repr(QUERY)
    assert repr(SECRET) not in repr(QUERY)
    assert repr(SECRET) not in repr(parse_reply(reply_octets()))
