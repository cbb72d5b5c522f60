"""What every engine promises, over its real server and over a double of it."""

import asyncio

import pytest

from scanner.core.content import Content
from scanner.core.scan_profile import ScanProfile
from scanner.core.verdict import Statement
from scanner.ports import ScanContext
from smtpgated_contracts.values.mail import EdgeId, Endpoint, Envelope, SessionId, SessionRef
from smtpgated_contracts.values.scan import EngineClass, VerdictKind
from tests.contract.scanner.conftest import EngineCase
from tests.support.eventually import turns

HERE = Endpoint("127.0.0.1", 25)
SESSION = SessionRef(SessionId("s"), EdgeId("e"), HERE, HERE)
PROFILE = ScanProfile(5.0, 100_000_000)
CONTEXT = ScanContext(SESSION, 1, Envelope(), PROFILE)
HEADER = (
    b"From: Somebody <somebody@a.example>\r\nTo: Else <else@b.example>\r\n"
    b"Subject: the minutes of our meeting\r\nMessage-ID: <1@a.example>\r\n"
    b"Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/plain\r\n\r\n"
)
CLEAN = HEADER + b"Hello, these are the minutes you asked me for.\r\n" * 20
LINE = b"The quick brown fox jumps over the lazy dog.\r\n"


def bad(case: EngineCase) -> bytes:
    return CLEAN + case.bad + b"\r\n"


def is_bad(statements: tuple[Statement, ...], case: EngineCase) -> bool:
    (judged,) = (each for each in statements if each.engine_class is case.bad_class)
    if case.bad_class is EngineClass.VIRUS:
        return judged.kind is VerdictKind.INFECTED
    return judged.score >= 5.0


def in_pieces(content: bytes) -> Content:
    """Cut where it hurts: in the first line, and in the last octets, where the bad ones are."""
    last = max(7, len(content) - 20)
    return Content.of(content[:7], memoryview(content)[7:last], content[last:])


async def scan(case: EngineCase, content: bytes) -> tuple[Statement, ...]:
    deadline = asyncio.get_running_loop().time() + 60
    async with asyncio.timeout_at(deadline):
        return await case.engine.scan(in_pieces(content), CONTEXT, deadline)


async def test_there_is_one_statement_for_each_class_it_judges(case: EngineCase) -> None:
    statements = await scan(case, CLEAN)
    classes = [each.engine_class for each in statements]
    assert sorted(classes) == sorted(case.engine.profile.judges)


async def test_clean_content_is_clean(case: EngineCase) -> None:
    assert not is_bad(await scan(case, CLEAN), case)


async def test_bad_content_is_found_and_named(case: EngineCase) -> None:
    statements = await scan(case, bad(case))
    assert is_bad(statements, case)
    assert any(each.name for each in statements)


@pytest.mark.parametrize("content", [b"", b"x", b"\r\n", b"no line end at the end of it"])
async def test_hardly_any_content_is_judged(case: EngineCase, content: bytes) -> None:
    assert await scan(case, content)


async def test_large_content_is_judged_to_its_end(case: EngineCase) -> None:
    filling = LINE * (case.large_octets // len(LINE))
    assert not is_bad(await scan(case, CLEAN + filling), case)
    assert is_bad(await scan(case, CLEAN + filling + case.bad + b"\r\n"), case)


async def test_more_scans_at_once_than_it_has_room_for_get_each_its_own(case: EngineCase) -> None:
    contents = [bad(case) if number % 3 == 0 else CLEAN for number in range(20)]
    answers = await asyncio.gather(*(scan(case, content) for content in contents))
    found = [is_bad(statements, case) for statements in answers]
    assert found == [number % 3 == 0 for number in range(20)]


@pytest.mark.parametrize("after_turns", [0, 1, 5, 30])
async def test_a_scan_that_is_given_up_gives_nobody_its_answer(
    case: EngineCase, after_turns: int
) -> None:
    async with asyncio.TaskGroup() as group:
        given_up = [group.create_task(scan(case, bad(case))) for _ in range(6)]
        await turns(after_turns)
        for task in given_up:
            task.cancel()
    for _ in range(6):
        assert not is_bad(await scan(case, CLEAN), case)


async def test_it_says_what_it_is(case: EngineCase) -> None:
    assert (await case.engine.version()).text
