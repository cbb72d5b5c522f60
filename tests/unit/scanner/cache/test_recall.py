"""A question through all that is remembered: asked once, for all who ask, and never for others."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from scanner import metrics
from scanner.cache.memory import Memory
from scanner.cache.recall import Recall
from scanner.cache.shared import NobodyElse, Shared
from scanner.core.cache_life import Lives
from scanner.core.content import Content
from scanner.core.profile import EngineProfile, EngineVersion, LooksAt
from scanner.core.verdict import Statement
from scanner.metrics import CacheSource, EngineName
from scanner.ports import Answer, EngineFailure, FailureReason, Question
from tests.support.eventually import PATIENCE_S, eventually
from tests.unit.scanner.cache.farm import FarmTwin
from tests.unit.scanner.fakes import EICAR_FOUND, MUCH_SPAM, NO_VIRUS, SPAM, VIRUS

CLAMD = EngineProfile("clamd", frozenset({VIRUS}), 10**6, 30.0, looks_at=LooksAt.ESSENCE)
SPAMD = EngineProfile("spamd", frozenset({SPAM}), 10**6, 30.0, looks_at=LooksAt.CONTENT)
RSPAMD = replace(SPAMD, name="rspamd", looks_at=LooksAt.SESSION)
VERSION = EngineVersion("ClamAV 1.4.3", 27800)
CLEAN, BAD = (NO_VIRUS,), (EICAR_FOUND,)
ASKED, KNOWN = Answer(CLEAN), Answer(CLEAN, cached=True)

Act = Callable[[], Awaitable[tuple[Statement, ...]]]


class Engine:
    """Says what the test says; remembers which octets it was given."""

    def __init__(self, *said: Statement, act: Act | None = None) -> None:
        self.given: list[bytes] = []
        self.said = said or CLEAN
        self.act = act

    async def __call__(self, content: Content) -> tuple[Statement, ...]:
        self.given.append(b"".join(content.pieces))
        return await self.act() if self.act is not None else self.said


def recall(
    shared: Shared | None = None, lives: Lives | None = None, claim_s: float = 5.0
) -> Recall:
    return Recall(Memory(100), shared or NobodyElse(), lives or Lives(), claim_s)


def copy_to(recipient: str, body: bytes = b"body") -> bytes:
    return b"To: %s\r\nSubject: s\r\n\r\n%s" % (recipient.encode(), body)


def about(
    content: bytes = b"content",
    engine: EngineProfile = CLAMD,
    version: EngineVersion | None = VERSION,
    *,
    head_only: bool = False,
    in_s: float = 60.0,
) -> Question:
    deadline = asyncio.get_running_loop().time() + in_s
    return Question(engine, version, Content.of(content), head_only, deadline)


async def answers_of(cache: Recall, engine: Engine, *questions: Question) -> list[Answer]:
    return [await cache.answer(each, engine) for each in questions]


async def test_the_second_copy_is_free() -> None:
    cache, engine = recall(), Engine()
    copies = (about(copy_to(f"{n}@b.example")) for n in range(5))
    assert await answers_of(cache, engine, *copies) == [ASKED, *[KNOWN] * 4]
    assert engine.given == [copy_to("")]


async def test_an_engine_is_given_the_very_octets_it_is_remembered_by() -> None:
    whole = copy_to("a@b.example")
    for profile, octets in ((CLAMD, copy_to("")), (SPAMD, whole), (RSPAMD, whole)):
        engine = Engine()
        await recall().answer(about(whole, profile), engine)
        assert engine.given == [octets]


@pytest.mark.parametrize(
    "other",
    [
        {"content": b"other"},
        {"engine": replace(CLAMD, name="mksd")},
        {"engine": replace(CLAMD, variant="other")},
        {"engine": replace(CLAMD, looks_at=LooksAt.CONTENT)},
        {"version": EngineVersion("ClamAV 1.4.3", 27801)},
        {"version": EngineVersion("ClamAV 1.4.3")},
        {"head_only": True},
    ],
)
async def test_another_question_has_an_answer_of_its_own(other: dict[str, object]) -> None:
    farm = FarmTwin()
    cache, engine = recall(farm), Engine()
    first = {"content": copy_to("a")}
    question, different = about(**first), about(**{**first, **other})  # type: ignore[arg-type]
    assert await answers_of(cache, engine, question, different) == [ASKED, ASKED]
    assert len(farm.looks) == 2


async def test_what_depends_on_the_session_is_never_remembered() -> None:
    farm = FarmTwin()
    cache, engine = recall(farm), Engine(MUCH_SPAM)
    questions = [about(engine=RSPAMD)] * 2
    assert [each.cached for each in await answers_of(cache, engine, *questions)] == [False, False]
    assert not farm.looks


async def test_what_an_engine_of_unknown_version_says_is_never_remembered() -> None:
    cache, engine = recall(), Engine()
    questions = [about(copy_to("a"), version=None)] * 2
    assert await answers_of(cache, engine, *questions) == [ASKED, ASKED]
    assert engine.given == [copy_to("a")] * 2


@pytest.mark.parametrize("reason", FailureReason)
async def test_a_failure_is_never_remembered_nor_what_was_found_before_it(
    reason: FailureReason,
) -> None:
    async def fails() -> tuple[Statement, ...]:
        raise EngineFailure(reason, found=BAD)

    farm = FarmTwin()
    cache, engine = recall(farm), Engine(act=fails)
    for _ in range(2):
        with pytest.raises(EngineFailure):
            await cache.answer(about(), engine)
    engine.act = None
    assert await cache.answer(about(), engine) == ASKED
    await eventually(lambda: not farm.claims)


async def test_an_answer_is_forgotten_when_its_life_is_over() -> None:
    cache, engine = recall(lives=Lives(0.0, 0.0, 0.0)), Engine()
    assert await answers_of(cache, engine, about(), about()) == [ASKED, ASKED]


async def test_a_version_just_heard_of_is_believed_for_a_short_while_only() -> None:
    farm = FarmTwin()
    cache, engine = recall(farm, Lives(virus_s=3600.0, unversioned_s=7.0)), Engine()
    await cache.answer(about(), engine)
    await eventually(lambda: farm.lives_s)
    assert farm.lives_s == [7.0]


async def test_those_who_ask_at_the_same_time_ask_once() -> None:
    gate = asyncio.Event()

    async def waits() -> tuple[Statement, ...]:
        await gate.wait()
        return CLEAN

    cache, engine = recall(), Engine(act=waits)
    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(cache.answer(about(), engine)) for _ in range(50)]
        await eventually(lambda: engine.given)
        gate.set()
    assert [each.result() for each in asking] == [ASKED, *[KNOWN] * 49]
    assert len(engine.given) == 1


async def test_those_who_wait_are_told_also_what_is_too_long_to_be_kept() -> None:
    gate = asyncio.Event()

    async def waits() -> tuple[Statement, ...]:
        await gate.wait()
        return (replace(MUCH_SPAM, name="X" * 10_000),)

    cache, engine = recall(), Engine(act=waits)
    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(cache.answer(about(engine=SPAMD), engine)) for _ in range(9)]
        await eventually(lambda: engine.given)
        gate.set()
    assert [each.result().cached for each in asking] == [False, *[True] * 8]


@pytest.mark.parametrize("error", [EngineFailure(FailureReason.LOST), TimeoutError()])
async def test_a_leaders_failure_is_his_alone(error: Exception) -> None:
    gate = asyncio.Event()

    async def waits_and_fails() -> tuple[Statement, ...]:
        await gate.wait()
        if len(engine.given) == 1:
            raise error
        return CLEAN

    cache, engine = recall(), Engine(act=waits_and_fails)
    async with asyncio.TaskGroup() as group:
        leader = group.create_task(failure_of(cache, engine))
        await eventually(lambda: engine.given)
        others = [group.create_task(cache.answer(about(), engine)) for _ in range(5)]
        await asyncio.sleep(0)
        gate.set()
    assert leader.result() is error
    assert [each.result() for each in others] == [ASKED, *[KNOWN] * 4]


async def failure_of(cache: Recall, engine: Engine) -> Exception:
    with pytest.raises((EngineFailure, TimeoutError)) as failed:
        await cache.answer(about(), engine)
    return failed.value


async def test_a_leader_who_is_called_off_hands_over() -> None:
    farm, gate = FarmTwin(), asyncio.Event()

    async def waits() -> tuple[Statement, ...]:
        await gate.wait()
        return CLEAN

    cache, engine = recall(farm), Engine(act=waits)
    async with asyncio.TaskGroup() as group:
        leader = group.create_task(cache.answer(about(), engine))
        await eventually(lambda: engine.given)
        others = [group.create_task(cache.answer(about(), engine)) for _ in range(5)]
        await asyncio.sleep(0)
        leader.cancel()
        await eventually(lambda: len(engine.given) == 2)
        gate.set()
    assert [each.result() for each in others] == [ASKED, *[KNOWN] * 4]
    assert not farm.claims


async def test_a_follower_who_is_called_off_disturbs_nobody() -> None:
    gate = asyncio.Event()

    async def waits() -> tuple[Statement, ...]:
        await gate.wait()
        return CLEAN

    cache, engine = recall(), Engine(act=waits)
    async with asyncio.TaskGroup() as group:
        leader, leaving, staying = (
            group.create_task(cache.answer(about(), engine)) for _ in range(3)
        )
        await eventually(lambda: engine.given)
        leaving.cancel()
        await asyncio.wait((leaving,))
        gate.set()
    assert (leader.result(), staying.result()) == (ASKED, KNOWN)


async def test_a_follower_keeps_time_to_ask_for_himself() -> None:
    forever = asyncio.Event()

    async def hangs_once() -> tuple[Statement, ...]:
        if len(engine.given) == 1:
            await forever.wait()
        return CLEAN

    cache, engine = recall(), Engine(act=hangs_once)
    async with asyncio.TaskGroup() as group:
        leader = group.create_task(cache.answer(about(), engine))
        await eventually(lambda: engine.given)
        assert await cache.answer(about(in_s=0.1), engine) == ASKED
        assert await cache.answer(about(), engine) == KNOWN
        leader.cancel()


# With others of a farm.


async def test_what_one_replica_asked_the_others_know() -> None:
    farm, engine = FarmTwin(), Engine()
    first, second = recall(farm), recall(farm)
    assert await first.answer(about(copy_to("a")), engine) == ASKED
    await eventually(lambda: farm.values)
    assert await second.answer(about(copy_to("b")), engine) == KNOWN
    assert await second.answer(about(copy_to("c")), engine) == KNOWN
    assert list(farm.looks.values()) == [2], "what it had heard it remembers itself"


async def test_a_replica_waits_for_the_one_that_is_asking() -> None:
    farm, gate = FarmTwin(), asyncio.Event()

    async def waits() -> tuple[Statement, ...]:
        await gate.wait()
        return CLEAN

    first, second, engine = recall(farm), recall(farm), Engine(act=waits)
    async with asyncio.TaskGroup() as group:
        leader = group.create_task(first.answer(about(), engine))
        await eventually(lambda: engine.given)
        follower = group.create_task(second.answer(about(), engine))
        await eventually(lambda: max(farm.looks.values()) >= 4)
        gate.set()
    assert (leader.result(), follower.result()) == (ASKED, KNOWN)


async def test_a_replica_that_went_silent_is_not_waited_for_beyond_a_claims_life() -> None:
    farm, engine = FarmTwin(), Engine()
    await recall(farm).answer(about(), Engine())
    await eventually(lambda: farm.values)
    (key,) = farm.values
    farm.values.clear()
    farm.claims[key] = "a replica that was killed, and whose claim does not end"
    async with asyncio.timeout(PATIENCE_S):
        assert await recall(farm, claim_s=0.01).answer(about(in_s=10_000.0), engine) == ASKED


async def test_what_others_told_is_not_remembered_longer_than_they_do() -> None:
    farm, engine = FarmTwin(), Engine()
    farm.left_s = 0.0
    await recall(farm).answer(about(), engine)
    await eventually(lambda: farm.values)
    cache = recall(farm)
    assert await answers_of(cache, engine, about(), about()) == [KNOWN, KNOWN]
    assert list(farm.looks.values()) == [3], "each time it had to look again"


async def test_a_question_in_a_hurry_does_not_wait_for_another_replica() -> None:
    farm, engine = FarmTwin(), Engine()
    await recall(farm).answer(about(), engine)
    await eventually(lambda: farm.values)
    (key,) = farm.values
    farm.values.clear()
    farm.claims[key] = "somebody"
    assert await recall(farm).answer(about(in_s=0.1), engine) == ASKED


async def test_an_engine_that_fails_here_is_asked_by_the_next_replica_at_once() -> None:
    async def fails() -> tuple[Statement, ...]:
        raise EngineFailure(FailureReason.LOST)

    farm, engine = FarmTwin(), Engine()
    with pytest.raises(EngineFailure):
        await recall(farm).answer(about(), Engine(act=fails))
    await eventually(lambda: not farm.claims)
    assert await recall(farm).answer(about(), engine) == ASKED
    assert list(farm.looks.values()) == [2]


async def test_a_farm_that_is_away_costs_a_look_and_the_engine_is_asked() -> None:
    farm, engine = FarmTwin(), Engine()
    farm.away = True
    cache = recall(farm)
    assert await answers_of(cache, engine, about(), about()) == [ASKED, KNOWN]


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b'[["spam","clean","",0.0]]', b'[["virus","unscanned","",0.0]]', b"[" * 999],
)
async def test_nonsense_is_counted_and_the_engine_is_asked(text: bytes) -> None:
    farm, engine = FarmTwin(), Engine(EICAR_FOUND)
    await recall(farm).answer(about(), engine)
    await eventually(lambda: farm.values)
    farm.say(text)
    before = metrics.CACHE_NONSENSE()._value.get()
    assert await recall(farm).answer(about(), engine) == Answer(BAD)
    assert metrics.CACHE_NONSENSE()._value.get() == before + 1
    await eventually(lambda: text not in [each.text for each in farm.values.values()])


async def test_statements_at_too_great_a_length_are_not_kept_and_nobody_waits_for_them() -> None:
    farm, engine = FarmTwin(), Engine(replace(MUCH_SPAM, name="X" * 10_000))
    question = about(engine=SPAMD)
    answers = await answers_of(recall(farm), engine, question, question)
    assert [each.cached for each in answers] == [False, False]
    await eventually(lambda: not farm.claims)


async def test_after_its_end_it_still_answers_and_tells_nobody() -> None:
    farm, engine = FarmTwin(), Engine()
    cache = recall(farm)
    await cache.aclose()
    assert await cache.answer(about(), engine) == ASKED
    assert not farm.values


async def test_where_answers_came_from_is_counted() -> None:
    def count(source: CacheSource) -> float:
        return float(metrics.CACHE_ANSWERS(EngineName("clamd"), source)._value.get())

    before = {source: count(source) for source in CacheSource}
    farm, engine = FarmTwin(), Engine()
    first, second = recall(farm), recall(farm)
    await answers_of(first, engine, about(), about(), about(version=None))
    await eventually(lambda: farm.values)
    await second.answer(about(), engine)
    counted = {source: count(source) - before[source] for source in CacheSource}
    assert counted == {
        CacheSource.ASKED: 1,
        CacheSource.HERE: 1,
        CacheSource.UNKEPT: 1,
        CacheSource.FARM: 1,
        CacheSource.FOLLOWED: 0,
    }
