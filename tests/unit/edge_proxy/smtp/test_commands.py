import pytest

from edge_proxy.smtp.commands import Command, parse_command
from edge_proxy.smtp.verbs import FOREIGN_PROTOCOL, VERBS, Verb


@pytest.mark.parametrize("verb", [verb for verb in Verb if verb is not Verb.OTHER])
def test_every_verb_is_known_in_any_case(verb: Verb) -> None:
    for word in (verb.value, verb.value.lower(), verb.value.capitalize()):
        command = parse_command(word.encode() + b" x\r\n")
        assert command.verb is verb
        assert command.word == verb.value.encode()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"NOOP\r\n", (Verb.NOOP, b"NOOP", b"")),
        (b"NOOP  \t\r\n", (Verb.NOOP, b"NOOP", b"")),
        (b"DATA \r\n", (Verb.DATA, b"DATA", b"")),
        (b"MAIL  FROM:<a@b>\t\r\n", (Verb.MAIL, b"MAIL", b"FROM:<a@b>")),
        (b"HELO two words\r\n", (Verb.HELO, b"HELO", b"two words")),
        (b"EHLO \xc3\xa4\r\n", (Verb.EHLO, b"EHLO", b"\xc3\xa4")),
        (b"\r\n", (Verb.OTHER, b"", b"")),
        (b" NOOP\r\n", (Verb.OTHER, b"", b"NOOP")),
        (b"NOOP\tx\r\n", (Verb.OTHER, b"NOOP\tX", b"")),
        (b"DATA\v\r\n", (Verb.OTHER, b"DATA\v", b"")),
        (b"DATAS\r\n", (Verb.OTHER, b"DATAS", b"")),
        (b"XCLIENT ADDR=1\r\n", (Verb.OTHER, b"XCLIENT", b"ADDR=1")),
        (b"other\r\n", (Verb.OTHER, b"OTHER", b"")),
        (b"\xc5\xbf\r\n", (Verb.OTHER, b"\xc5\xbf", b"")),
    ],
)
def test_a_line_is_a_verb_and_an_argument(line: bytes, expected: tuple[Verb, bytes, bytes]) -> None:
    assert parse_command(line) == Command(*expected, line)


def test_the_line_is_kept_as_it_came() -> None:
    line = b"mAiL  frOm:<A@b> \r\n"
    assert parse_command(line).line is line


def test_no_verb_of_ours_is_taken_for_another_protocol() -> None:
    assert not FOREIGN_PROTOCOL & set(VERBS)
