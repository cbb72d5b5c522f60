"""One line from a client -> a command (RFC 5321 §4.1.1)."""

from typing import NamedTuple

from edge_proxy.smtp.verbs import VERBS, Verb


class Command(NamedTuple):
    """``line`` as it came, CRLF included; ``word`` upper-cased; ``argument`` without blanks."""

    verb: Verb
    word: bytes
    argument: bytes
    line: bytes


def parse_command(line: bytes) -> Command:
    """Never fails: what is no known verb is ``Verb.OTHER``. ``line`` ends in CRLF."""
    word, _, argument = line[:-2].partition(b" ")
    word = word.upper()
    return Command(VERBS.get(word, Verb.OTHER), word, argument.strip(b" \t"), line)
