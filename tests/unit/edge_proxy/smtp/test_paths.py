import pytest

from edge_proxy.smtp.paths import parse_path


@pytest.mark.parametrize(
    ("argument", "address"),
    [
        (b"FROM:<a@b.example>", b"a@b.example"),
        (b"from:<a@b.example>", b"a@b.example"),
        (b"FROM:<>", b""),
        (b"FROM: <a@b>", b"a@b"),
        (b"FROM:\t <a@b>", b"a@b"),
        (b"FROM:a@b", b"a@b"),
        (b"FROM: a@b", b"a@b"),
        (b"FROM:<Postmaster>", b"Postmaster"),
        (b"FROM:<a@[IPv6:2001:db8::1]>", b"a@[IPv6:2001:db8::1]"),
        ("FROM:<pelé@exämple.net>".encode(), "pelé@exämple.net".encode()),
        (b"FROM:<\xff\xfe@b>", b"\xff\xfe@b"),
    ],
)
def test_addresses_as_servers_take_them(argument: bytes, address: bytes) -> None:
    assert parse_path(argument, b"FROM") == address


@pytest.mark.parametrize(
    ("argument", "address"),
    [
        (b'TO:<"a b"@c>', b'"a b"@c'),
        (b'TO:<"a>b"@c>', b'"a>b"@c'),
        (b'TO:<"a\\"b"@c>', b'"a\\"b"@c'),
        (b'TO:<"a\\\\"@c>', b'"a\\\\"@c'),
        (b'TO:<""@c>', b'""@c'),
        (b'TO:"a b"@c', b'"a b"@c'),
        (b'TO:<"a@x> NOTIFY=NEVER <b"@c>', b'"a@x> NOTIFY=NEVER <b"@c'),
        (b'TO:<x."y z".w@c>', b'x."y z".w@c'),
    ],
)
def test_a_quoted_local_part_may_hold_anything(argument: bytes, address: bytes) -> None:
    assert parse_path(argument, b"TO") == address


@pytest.mark.parametrize(
    ("argument", "address"),
    [
        (b"TO:<@a.example:u@c>", b"u@c"),
        (b"TO:<@a,@b,@c:u@d>", b"u@d"),
        (b"TO:<@a:>", b""),
        (b"TO:<@a:@b:u@c>", b"@b:u@c"),
        (b"TO:<@a>", b"@a"),
        (b"TO:@a:u@c", b"u@c"),
        (b'TO:<@a:"x:y"@c>', b'"x:y"@c'),
        (b'TO:<"@a:u"@c>', b'"@a:u"@c'),
    ],
)
def test_a_source_route_is_left_out(argument: bytes, address: bytes) -> None:
    assert parse_path(argument, b"TO") == address


@pytest.mark.parametrize(
    "parameters",
    [
        b" SIZE=1000",
        b" BODY=8BITMIME SMTPUTF8",
        b"\tRET=HDRS  ENVID=QQ314159",
        b" AUTH=<>",
        b" NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;x+2Bx@y",
        "  ORCPT=utf-8;pelé@exämple.net".encode(),
        b" X-Y=",
    ],
)
def test_parameters_are_no_part_of_the_address(parameters: bytes) -> None:
    assert parse_path(b"TO:<a@b>" + parameters, b"TO") == b"a@b"
    assert parse_path(b"TO:a@b" + parameters, b"TO") == b"a@b"


@pytest.mark.parametrize(
    "argument",
    [
        b"",
        b"FROM",
        b"FROM:",
        b"FROM:  ",
        b"FROM <a@b>",
        b"FROM :<a@b>",
        b"FRO:<a@b>",
        b"<a@b>",
        b"FROM:<a@b",
        b"FROM:a@b>",
        b"FROM:<<a@b>",
        b"FROM:<<a@b>>",
        b"FROM:<a@b>>",
        b"FROM:<a b@c>",
        b"FROM:<a@b>x",
        b"FROM:<a@b>SIZE=1",
        b"FROM:<a@b><c@d>",
        b'FROM:<"a@b>',
        b'FROM:<a"@b>',
        b'FROM:<"a\\"@b>',
        b"FROM:<a\x0b@b>",
        b"FROM:<a\t@b>",
        b"FROM:< a@b>",
        b"FROM:<a@b >",
    ],
)
def test_what_can_be_read_in_two_ways_is_not_understood(argument: bytes) -> None:
    assert parse_path(argument, b"FROM") is None


@pytest.mark.parametrize(
    "argument",
    [
        b"TO:phrase <a@b>",  # a lenient server takes what is in the brackets
        b"TO:<a@b> <c@d>",
        b"TO:a@b <c@d>",
        b'TO:<a@b> "c d"@e',
        b"TO:<a@b> (comment)",
        b"TO:a@b, c@d",
        b"TO:<a@b>, <c@d>",
        b"TO:<a@b> =1",
        b"TO:<a@b> -X=1",
    ],
)
def test_a_second_address_is_no_parameter(argument: bytes) -> None:
    assert parse_path(argument, b"TO") is None


def test_the_keyword_is_that_of_the_verb() -> None:
    assert parse_path(b"TO:<a@b>", b"FROM") is None
    assert parse_path(b"FROM:<a@b>", b"TO") is None
    assert parse_path(b"tO:<a@b>", b"TO") == b"a@b"


MANY = 200_000


@pytest.mark.timeout(20)  # quadratic work on these would take hours
@pytest.mark.parametrize(
    "argument",
    [
        b"TO:" + b" " * MANY,
        b"TO:<" + b"a" * MANY,
        b'TO:<"' + b"a" * MANY,
        b"TO:<" + b'"a"' * MANY,
        b"TO:<" + b'"' * MANY,
        b'TO:<"' + b"\\" * MANY,
        b"TO:<" + b"@a," * MANY + b">",
        b"TO:<" + b"@a:" * MANY + b">",
        b"TO:<a>" + b" " * MANY,
        b"TO:<a>" + b" x" * MANY + b" ",
        b"TO:<a>" + b" x=" * MANY + b"\n",
        b"TO:" + b"a" * MANY + b"<",
        b"TO:" + b'"a"' * MANY + b"<",
    ],
    ids=lambda argument: argument[:12].decode(),
)
def test_the_worst_arguments_take_linear_time(argument: bytes) -> None:
    parse_path(argument, b"TO")
