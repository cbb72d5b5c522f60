"""What the worker process does, without the process."""

import base64
import io
from pathlib import Path

import pytest

from lab.messages import EICAR, GTUBE
from scanner.core.budget import Limits
from scanner.core.yara_wire import Answer, AnswerReader, RuleMatch, question_head
from scanner.engines.yara_rules import compiled
from scanner.engines.yara_sources import BUILTIN, read
from scanner.engines.yara_worker import Examiner, serve

VIRUS = RuleMatch("EICAR_Test_File", "virus", 0.0)
SPAM = RuleMatch("GTUBE_Test_String", "spam", 1000.0)
ENCODED = b"Content-Transfer-Encoding: base64\r\n\r\n"


@pytest.fixture(scope="module")
def examiner() -> Examiner:
    return Examiner(compiled(read([BUILTIN]).texts), Limits())


@pytest.mark.parametrize(
    ("content", "matches"),
    [
        (b"", ()),
        (b"Subject: x\r\n\r\nhello\r\n", ()),
        (b"Subject: x\r\n\r\n" + EICAR, (VIRUS,)),
        (ENCODED + base64.encodebytes(EICAR), (VIRUS,)),
        (b"Subject: x\r\n\r\n" + GTUBE.encode(), (SPAM,)),
        (ENCODED + base64.encodebytes(b"x" * 100 + GTUBE.encode()), (SPAM,)),
        (EICAR + GTUBE.encode(), (VIRUS, SPAM)),
    ],
    ids=["empty", "clean", "virus", "virus in base64", "spam", "spam in base64", "both"],
)
def test_the_content_and_its_parts_are_examined(
    examiner: Examiner, content: bytes, matches: tuple[RuleMatch, ...]
) -> None:
    assert examiner.examine(content, 10.0) == Answer(matches)


def test_what_is_found_before_a_bound_is_told_with_the_bound() -> None:
    small = Examiner(compiled(read([BUILTIN]).texts), Limits(depth=1))
    nested = GTUBE.encode().join([b"Content-Type: message/rfc822\r\n\r\n" * 5, b""])
    answer = small.examine(nested, 10.0)
    assert answer.matches == (SPAM,)
    assert answer.unfinished == "more than 1 levels"


def test_a_virus_found_before_a_bound_is_all_that_counts() -> None:
    small = Examiner(compiled(read([BUILTIN]).texts), Limits(depth=1))
    content = EICAR + b"\r\nContent-Type: message/rfc822\r\n\r\n" * 5
    assert small.examine(content, 10.0) == Answer((VIRUS,))


def test_time_that_is_over_is_a_bound(examiner: Examiner) -> None:
    assert "time" in examiner.examine(b"Subject: x\r\n\r\n", -1.0).unfinished


def test_rules_that_take_too_long_are_a_bound(tmp_path: Path) -> None:
    slow = tmp_path / "slow.yar"
    slow.write_text("rule slow { condition: for all i in (0..100000000000) : (i >= 0) }")
    answer = Examiner(compiled(read([str(slow)]).texts), Limits()).examine(
        b"Subject: x\r\n\r\n", 0.1
    )
    assert answer == Answer(unfinished="the rules took too long")


def answers_to(questions: bytes, examiner: Examiner) -> list[Answer]:
    written = io.BytesIO()
    serve(io.BytesIO(questions), written, examiner)
    lines = written.getvalue().splitlines(keepends=True)
    return [answer for line in lines if (answer := AnswerReader().feed(line)) is not None]


def test_questions_are_answered_in_turn(examiner: Examiner) -> None:
    contents = [b"hello", EICAR, b"", GTUBE.encode()]
    questions = b"".join(question_head(len(each), 10.0) + each for each in contents)
    assert answers_to(questions, examiner) == [
        Answer(), Answer((VIRUS,)), Answer(), Answer((SPAM,)),
    ]  # fmt: skip


@pytest.mark.parametrize("cut", [1, 8, 20])
def test_a_question_that_breaks_off_is_none(examiner: Examiner, cut: int) -> None:
    question = question_head(len(EICAR), 10.0) + EICAR
    assert answers_to(question[:-cut], examiner) == []
    assert answers_to(question + question[:cut], examiner) == [Answer((VIRUS,))]
