import pytest

from edge_proxy.smtp.sizes import allowed_size, declared_size, without_size


@pytest.mark.parametrize(
    ("argument", "size"),
    [
        (b"FROM:<a@b> SIZE=1000", 1000),
        (b"FROM:<a@b> BODY=8BITMIME size=7 RET=HDRS", 7),
        (b"FROM: a@b\tSIZE=7", 7),
        (b"FROM:<> SIZE=0", 0),
        (b"FROM:<> SIZE=99999999999999999999", 99_999_999_999_999_999_999),
        (b"FROM:<> SIZE=1 SIZE=9", 9),
        (b"FROM:<>", 0),
        (b"FROM:<> SIZE", 0),
        (b"FROM:<> SIZE=", 0),
        (b"FROM:<> SIZE=-5", 0),
        (b"FROM:<> SIZE=5k", 0),
        (b"FROM:<> XSIZE=5", 0),
        (b"FROM:<> SIZE=999999999999999999999", 0),
        (b'FROM:<"a SIZE=5 b"@c>', 0),
        (b"nonsense SIZE=5", 0),
    ],
)
def test_a_size_is_what_the_parameter_says_and_nothing_else(argument: bytes, size: int) -> None:
    assert declared_size(argument) == size


@pytest.mark.parametrize(
    ("line", "without"),
    [
        (b"MAIL FROM:<a@b> SIZE=5\r\n", b"MAIL FROM:<a@b>\r\n"),
        (b"mail FROM:<a@b> SIZE=5 BODY=8BITMIME \r\n", b"mail FROM:<a@b> BODY=8BITMIME\r\n"),
        (b"MAIL FROM:<a@b> BODY=7BIT  size=5\tRET=FULL\r\n", None),
        (b'MAIL FROM:<"a SIZE=5 b"@c> SIZE=5\r\n', b'MAIL FROM:<"a SIZE=5 b"@c>\r\n'),
        (b"MAIL FROM:<a@b> XSIZE=5\r\n", b"MAIL FROM:<a@b> XSIZE=5\r\n"),
        (b"MAIL FROM:<a@b>\r\n", b"MAIL FROM:<a@b>\r\n"),
        (b"MAIL nonsense SIZE=5\r\n", b"MAIL nonsense SIZE=5\r\n"),
    ],
)
def test_without_its_size_a_command_is_as_it_was(line: bytes, without: bytes | None) -> None:
    assert without_size(line) == (without or b"MAIL FROM:<a@b> BODY=7BIT\tRET=FULL\r\n")


@pytest.mark.parametrize(
    ("line", "size"),
    [(b"SIZE 9", 9), (b"size  9 ", 9), (b"SIZE", 0), (b"SIZE 0", 0), (b"SIZE 9 9", 0)],
)
def test_an_allowed_size_is_one_number(line: bytes, size: int) -> None:
    assert allowed_size(line) == size
