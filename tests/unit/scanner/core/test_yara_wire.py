"""Between the YARA engine and its workers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.core.replies import ReplyMalformed
from scanner.core.yara_wire import (
    HEAD_OCTETS,
    LARGEST_LINE,
    RULES_HEAD_OCTETS,
    Answer,
    AnswerReader,
    Greeting,
    GreetingReader,
    RuleMatch,
    line_of,
    question_head,
    read_question_head,
    read_rules,
    read_rules_head,
    rules_frame,
)
from tests.unit.scanner.core.replies_three_ways import read_three_ways


def test_a_question_says_how_much_follows_and_how_long_it_may_take() -> None:
    head = question_head(64 * 1024 * 1024, 9.75)
    assert len(head) == HEAD_OCTETS
    assert read_question_head(head) == (64 * 1024 * 1024, 9.75)


@given(st.lists(st.tuples(st.text(), st.text())))
def test_rules_come_back_as_they_were_given(texts: list[tuple[str, str]]) -> None:
    frame = rules_frame(texts)
    head, told = frame[:RULES_HEAD_OCTETS], frame[RULES_HEAD_OCTETS:]
    assert read_rules_head(head) == len(told)
    assert read_rules(told) == texts


@pytest.mark.parametrize(
    "answer",
    [
        Answer(),
        Answer((RuleMatch("EICAR", "virus", 0.0), RuleMatch("GTUBE", "spam", 1000.0))),
        Answer(unfinished="too many parts"),
    ],
)
def test_an_answer_comes_back_as_it_was_given(answer: Answer) -> None:
    assert read_three_ways(AnswerReader, line_of(answer)) == answer


@pytest.mark.parametrize("greeting", [Greeting(2), Greeting(trouble="x.yar: é\n is no rule")])
def test_a_greeting_comes_back_as_it_was_given(greeting: Greeting) -> None:
    assert read_three_ways(GreetingReader, line_of(greeting)) == greeting


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"[]\n",
        b"Traceback (most recent call last):\n",
        b'{"matches": [], "unfinished": null}\n',
        b'{"matches": [{"rule": "x"}], "unfinished": ""}\n',
        b'{"matches": {}, "unfinished": ""}\n',
        b"x" * (LARGEST_LINE + 1),
    ],
)
def test_an_answer_that_is_none_is_malformed(line: bytes) -> None:
    with pytest.raises(ReplyMalformed):
        AnswerReader().feed(line)


@given(st.binary(max_size=200))
def test_no_octets_make_the_readers_fail_otherwise(octets: bytes) -> None:
    for reader in (AnswerReader(), GreetingReader()):
        try:
            reader.feed(octets + b"\n")
        except ReplyMalformed:
            continue
