"""Two scanners' panels that share a real Valkey, in front of the real clamd: what copies cost, and
that no content gets another one's verdict, whatever becomes of the other scanner or of Valkey."""

import asyncio
import random
from base64 import encodebytes
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
from redis.asyncio import Redis

from lab.messages import EICAR
from scanner.cache.recall import Recall
from scanner.cache.settings import CacheSettings
from scanner.core.cache_key import digest_of
from scanner.core.content import Content
from scanner.core.essence import essence
from scanner.core.profile import EngineVersion
from scanner.core.scan_profile import ScanProfile
from scanner.core.verdict import Statement
from scanner.engines.clamd import ClamdEngine, ClamdSettings
from scanner.panel import Panel
from scanner.ports import ScanContext
from service_kit.addresses import UnixOrTcp
from smtpgated_contracts.values.mail import EdgeId, Endpoint, Envelope, SessionId, SessionRef
from smtpgated_contracts.values.scan import EngineClass, Verdict, VerdictKind
from tests.contract.policy.valkey import Valkey
from tests.support.engines import RunningClamd
from tests.support.eventually import eventually

HERE: Final = Endpoint("127.0.0.1", 25)
SESSION: Final = SessionRef(SessionId("session-1"), EdgeId("edge-1"), HERE, HERE)
CONTEXT: Final = ScanContext(SESSION, 1, Envelope(), ScanProfile(5.0, 100_000_000))
NOBODY: Final[frozenset[EngineClass]] = frozenset()
VERSIONS: Final = {"clamd": EngineVersion("ClamAV 1", 7)}
# A test machine is busy; what a slow Valkey is like, others test.
PATIENT_S: Final = 10.0


class CountingClamd(ClamdEngine):
    """``given``: digests of what it was given."""

    def __init__(self, clamd: RunningClamd) -> None:
        super().__init__(ClamdSettings(address=(UnixOrTcp(path=clamd.address),)))
        self.given: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def scan(
        self, content: Content, context: ScanContext, deadline: float
    ) -> tuple[Statement, ...]:
        self.given.append(digest_of(content))
        await self.gate.wait()
        return await super().scan(content, context, deadline)


class Scanner:
    """One replica, as far as verdicts go; it shares its engine with the others."""

    def __init__(self, engine: ClamdEngine, cache: Recall) -> None:
        self.cache = cache
        self._panel = Panel([engine], VERSIONS, cache)

    async def judge(self, content: Content, in_s: float = 60.0) -> Verdict:
        deadline = asyncio.get_running_loop().time() + in_s
        return await self._panel.judge(content, CONTEXT, NOBODY, deadline)


@pytest.fixture
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    server = Valkey(Path(tmp_path_factory.mktemp("valkey")))
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def engine(clamd: RunningClamd) -> AsyncIterator[CountingClamd]:
    made = CountingClamd(clamd)
    yield made
    await made.aclose()


@asynccontextmanager
async def scanner(
    engine: ClamdEngine, valkey: Valkey, claim_s: float = 5.0
) -> AsyncIterator[Scanner]:
    settings = CacheSettings(url=valkey.url, deadline_s=PATIENT_S, claim_s=claim_s)
    made = Scanner(engine, settings.open())
    yield made
    await made.cache.aclose()


@pytest.fixture
async def two(engine: CountingClamd, valkey: Valkey) -> AsyncIterator[tuple[Scanner, Scanner]]:
    async with scanner(engine, valkey) as one, scanner(engine, valkey) as other:
        yield one, other


def copy_to(number: int, body: bytes) -> Content:
    """One of many copies: its own trace, recipients, date and id."""
    return Content.of(
        b"Received: from c (c [192.0.2.%d])\r\n\tby mx.example; %d\r\n" % (number % 256, number),
        b"From: Worm <worm@a.example>\r\nTo: %d@b.example,\r\n\t%d@c.example\r\n"
        % (number, number),
        b"Subject: see this\r\nDate: %d\r\nMessage-ID: <%d@a.example>\r\n" % (number, number),
        b"MIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n",
        encodebytes(body),
    )


async def test_ten_thousand_copies_cost_clamd_a_handful_of_scans(
    engine: CountingClamd, two: tuple[Scanner, Scanner]
) -> None:
    waves = (range(2000), range(2000, 10_000))
    verdicts = [
        verdict
        for wave in waves
        for verdict in await asyncio.gather(
            *(two[number % 2].judge(copy_to(number, EICAR)) for number in wave)
        )
    ]
    assert len(verdicts) == 10_000
    assert {each.kind for each in verdicts} == {VerdictKind.INFECTED}
    assert sum(not each.findings[0].cached for each in verdicts) == len(engine.given)
    assert len(engine.given) <= 5


async def test_no_content_gets_the_verdict_of_another_one(
    engine: CountingClamd, two: tuple[Scanner, Scanner]
) -> None:
    """Whoever poisons must make clean what is not: by trace and addresses, by where parts begin,
    by a header that parsers read in different ways."""
    body = encodebytes(EICAR)
    attack = b"Content-Transfer-Encoding: base64\r\nContent-Type: application/x\r\n"
    clean = b"To: a\r\nSubject: s\r\n\r\nhello\r\n"
    contents = {
        clean: False,
        b"To: b\r\nSubject: s\r\n\r\nhello\r\n": False,
        b"To: a\r\nSubject: s\r\n\r\n" + EICAR: True,
        b"To: a\r\n" + attack + b"Subject: s\r\n\r\n" + body: True,
        b"To: b\r\n" + attack + b"Subject: s\r\n\r\n" + body: True,
        # The virus where a value would be left out, were this header in order.
        b"To: a\r\n\r\n" + EICAR + b"\r\nSubject: s\r\n\r\nhello\r\n": True,
        b"To: a\n\n" + EICAR + b"\r\nSubject: s\r\n\r\nhello\r\n": True,
        b"To: \0" + EICAR + b"\r\nSubject: s\r\n\r\nhello\r\n": True,
        b"To: a\r" + EICAR + b"\r\nSubject: s\r\n\r\nhello\r\n": True,
        b"To a\r\nTo: " + EICAR + b"\r\nSubject: s\r\n\r\nhello\r\n": True,
        # In a value that stays, and in a field of a part.
        b"To: a\r\nSubject: " + EICAR + b"\r\n\r\nhello\r\n": True,
        b"To: a\r\n" + attack + b"\r\nTo: " + EICAR + b"\r\n\r\n": True,
        b"Subject: s\r\n\r\nTo: " + EICAR + b"\r\n\r\nhello\r\n": True,
        # What nobody opens: the one thing that a scan of the essence does not see.
        b"To: " + EICAR + b"\r\nSubject: s\r\n\r\nhello\r\n": False,
    }
    asked = [(octets, bad) for octets, bad in contents.items() for _ in range(4)]
    random.Random(7).shuffle(asked)
    for number, (octets, bad) in enumerate(asked):
        at = number % len(octets)
        content = Content.of(octets[:at], octets[at:])
        verdict = await two[number % 2].judge(content)
        uncached = await engine.scan(essence(content), CONTEXT, float("inf"))
        assert verdict.findings[0].kind is uncached[0].kind, octets
        assert (verdict.kind is VerdictKind.INFECTED) is bad, octets


async def test_a_scanner_that_is_killed_while_it_asks_is_waited_for_as_long_as_its_claim(
    engine: CountingClamd, valkey: Valkey
) -> None:
    content = copy_to(1, EICAR)
    async with (
        scanner(engine, valkey, claim_s=0.2) as killed,
        scanner(engine, valkey, claim_s=0.2) as alive,
    ):
        engine.gate.clear()
        async with asyncio.TaskGroup() as group:
            asking = group.create_task(killed.judge(content))
            await eventually(lambda: engine.given)
            waiting = [group.create_task(alive.judge(copy_to(n, EICAR))) for n in range(20)]
            # Killed: nobody gives its claim back.
            await killed.cache.aclose()
            asking.cancel()
            await eventually(lambda: len(engine.given) == 2)
            engine.gate.set()
        assert {each.result().kind for each in waiting} == {VerdictKind.INFECTED}
        assert len(engine.given) == 2


async def test_a_valkey_that_is_killed_in_the_middle_costs_scans_and_no_verdict(
    engine: CountingClamd, valkey: Valkey, two: tuple[Scanner, Scanner]
) -> None:
    bodies = [EICAR, b"hello", EICAR + b"2", b"hello 2"]
    expected = [VerdictKind.INFECTED, VerdictKind.CLEAN] * 2
    engine.gate.clear()
    async with asyncio.TaskGroup() as group:
        asking = [
            group.create_task(two[number % 2].judge(copy_to(number, bodies[number // 2 % 4])))
            for number in range(400)
        ]
        await eventually(lambda: len(engine.given) >= 4)
        valkey.kill()
        engine.gate.set()
    assert [each.result().kind for each in asking] == [
        expected[number // 2 % 4] for number in range(400)
    ]
    assert len(engine.given) <= 8, "each replica at most once for each content"
    valkey.start()
    verdicts = [await each.judge(copy_to(1, b"another")) for each in two]
    assert {each.kind for each in verdicts} == {VerdictKind.CLEAN}


async def test_whoever_writes_nonsense_into_valkey_changes_no_verdict(
    engine: CountingClamd, valkey: Valkey, two: tuple[Scanner, Scanner]
) -> None:
    one, other = two
    await one.judge(copy_to(1, EICAR))
    assert (await other.judge(copy_to(2, EICAR))).findings[0].cached
    (key,) = await keys_in(valkey)
    for nonsense in (b'=[["virus","unscanned","",0.0]]', b"=", b'=[["spam","clean","",0.0]]'):
        await write(valkey, key, nonsense)
        async with scanner(engine, valkey) as fresh:
            verdict = await fresh.judge(copy_to(2, EICAR))
        assert verdict.kind is VerdictKind.INFECTED
        assert not verdict.findings[0].cached


@asynccontextmanager
async def client(valkey: Valkey) -> AsyncIterator[Redis]:
    redis = Redis.from_url(valkey.url)
    yield redis
    await redis.aclose()


async def keys_in(valkey: Valkey) -> list[bytes]:
    async with client(valkey) as redis:
        return [key async for key in redis.scan_iter("smtpgated:verdict:*")]


async def write(valkey: Valkey, key: bytes, value: bytes) -> None:
    async with client(valkey) as redis:
        await redis.set(key, value, px=60_000)
