import pytest

from edge_proxy.legacy.kinds import (
    Reader,
    Value,
    boolean,
    integer,
    ipv4,
    octal,
    one_of,
    port,
    real,
    socket,
    some_of,
    unsigned,
)

_MODE = one_of("fixed", "pf", numbers={12: "fixed"})
_EVENTS = some_of("virus", "spam")
_LOGGED = some_of("accepted", "rejected", bits={1: "accepted", 2: "rejected"})


@pytest.mark.parametrize(
    ("read", "given", "value"),
    [
        (integer, "10", 10),
        (integer, "0x1F", 31),
        (integer, "010", 8),
        (integer, "0", 0),
        (integer, "08", 0),
        (integer, "10k", 10),
        (integer, "-5", -5),
        (integer, "99999999999", 2**32 - 1),
        (unsigned, "-1", 2**32 - 1),
        (octal, "0660", 0o660),
        (real, "2.5x", 2.5),
        (real, "-1", -1.0),
        (boolean, "YES", True),
        (boolean, "off", False),
        (port, "25", 25),
        (ipv4, "192.0.2.1", "192.0.2.1"),
        (socket, "/run/x", "/run/x"),
        (socket, "192.0.2.1:783", "192.0.2.1:783"),
        (_MODE, "pf", "pf"),
        (_MODE, "12", "fixed"),
        (_EVENTS, "virus", frozenset({"virus"})),
        (_EVENTS, "virus, spam", frozenset({"virus", "spam"})),
        (_LOGGED, "3", frozenset({"accepted", "rejected"})),
        (_LOGGED, "0", frozenset()),
    ],
)
def test_values_are_read_as_the_old_program_read_them(
    read: Reader, given: str, value: Value
) -> None:
    assert read(given) == value


@pytest.mark.parametrize(
    ("read", "given"),
    [
        (integer, "ten"),
        (integer, "9" * 10_000),
        (octal, "0888"),
        (real, "nan"),
        (real, "1e999"),
        (boolean, "true"),
        (port, "0"),
        (port, "65536"),
        (ipv4, "::1"),
        (ipv4, "192.0.2"),
        (socket, "localhost:783"),
        (socket, "192.0.2.1"),
        (socket, "/" + "x" * 200),
        (_MODE, "Fixed"),
        (_MODE, "13"),
        (_EVENTS, "virus ,spam"),
        (_EVENTS, "virus,,spam"),
    ],
)
def test_what_the_old_program_refused_is_refused(read: Reader, given: str) -> None:
    with pytest.raises(ValueError, match=r"should|must|at most"):
        read(given)
