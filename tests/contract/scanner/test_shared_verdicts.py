"""What replicas share, in a real Valkey and in its twin; one full of nonsense, slow, or away."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from redis.asyncio import Redis

from scanner import metrics
from scanner.cache.redis_link import RedisLink
from scanner.cache.shared import InRedis, Kept, Look, Shared
from scanner.core.cached_statements import LARGEST_TEXT
from service_kit.failures import FailureKind
from tests.contract.policy.valkey import Valkey
from tests.contract.scanner.doubles import Script, double
from tests.unit.scanner.cache.farm import FarmTwin

KEY, OTHER_KEY = "clamd:1:2", "clamd:1:3"
TEXT = b'[["virus","clean","",0.0]]'
PATIENT_S: Final = 10.0
CLAIM_S: Final = 60.0


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    server = Valkey(Path(tmp_path_factory.mktemp("valkey")))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def own_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """To be stopped and started as a test likes; not started yet."""
    server = Valkey(Path(tmp_path_factory.mktemp("valkey")))
    yield server
    server.stop()


@asynccontextmanager
async def in_redis(
    valkey: Valkey, farm: str, deadline_s: float = PATIENT_S
) -> AsyncIterator[InRedis]:
    shared = InRedis(RedisLink(valkey.url, deadline_s), farm)
    yield shared
    await shared.aclose()


@asynccontextmanager
async def operator(valkey: Valkey) -> AsyncIterator[Any]:
    redis = Redis.from_url(valkey.url)
    yield redis
    await redis.aclose()


@pytest.fixture
def farm() -> str:
    return secrets.token_hex(4)


@pytest.fixture(params=["twin", "valkey"])
async def shared(
    request: pytest.FixtureRequest, valkey: Valkey, farm: str
) -> AsyncIterator[Shared]:
    if request.param == "twin":
        yield FarmTwin()
        return
    async with in_redis(valkey, farm) as made:
        yield made


async def test_the_first_who_looks_may_find_out_and_the_others_see_that(shared: Shared) -> None:
    looks = [await shared.look_or_claim(KEY, each, CLAIM_S) for each in ("a", "b", "c")]
    assert looks == [Look.CLAIMED, Look.TAKEN, Look.TAKEN]
    assert await shared.look_or_claim(OTHER_KEY, "b", CLAIM_S) is Look.CLAIMED


async def test_what_was_found_out_is_there_for_all(shared: Shared) -> None:
    await shared.look_or_claim(KEY, "a", CLAIM_S)
    await shared.keep(KEY, TEXT, 30.0)
    found = await shared.look_or_claim(KEY, "b", CLAIM_S)
    assert isinstance(found, Kept)
    assert found.text == TEXT
    assert 20.0 < found.left_s <= 30.0


async def test_a_claim_given_back_is_free(shared: Shared) -> None:
    await shared.look_or_claim(KEY, "a", CLAIM_S)
    await shared.release(KEY, "a")
    assert await shared.look_or_claim(KEY, "b", CLAIM_S) is Look.CLAIMED


async def test_nobody_gives_back_what_is_not_his(shared: Shared) -> None:
    await shared.look_or_claim(KEY, "a", CLAIM_S)
    await shared.release(KEY, "b")
    assert await shared.look_or_claim(KEY, "b", CLAIM_S) is Look.TAKEN
    await shared.keep(KEY, TEXT, 30.0)
    await shared.release(KEY, "a")
    assert isinstance(await shared.look_or_claim(KEY, "b", CLAIM_S), Kept)


async def test_farms_of_other_names_share_nothing(valkey: Valkey, farm: str) -> None:
    async with in_redis(valkey, farm) as one, in_redis(valkey, farm + "-2") as other:
        await one.keep(KEY, TEXT, 30.0)
        assert await other.look_or_claim(KEY, "a", CLAIM_S) is Look.CLAIMED


async def test_the_claim_of_a_replica_that_was_killed_ends_by_itself(
    valkey: Valkey, farm: str
) -> None:
    async with in_redis(valkey, farm) as shared:
        await shared.look_or_claim(KEY, "killed", 0.05)

        async def free() -> bool:
            return await shared.look_or_claim(KEY, "next", CLAIM_S) is Look.CLAIMED

        async with asyncio.timeout(PATIENT_S):
            while not await free():
                pass


async def test_every_key_has_an_end(valkey: Valkey, farm: str) -> None:
    async with in_redis(valkey, farm) as shared, operator(valkey) as redis:
        await shared.look_or_claim(KEY, "a", 7.0)
        await shared.keep(OTHER_KEY, TEXT, 30.0)
        left = {name.decode(): await redis.pttl(name) for name in await redis.keys(f"*:{farm}:*")}
    assert set(left) == {f"smtpgated:verdict:{farm}:{each}" for each in (KEY, OTHER_KEY)}
    assert 0 < left[f"smtpgated:verdict:{farm}:{KEY}"] <= 7000
    assert 7000 < left[f"smtpgated:verdict:{farm}:{OTHER_KEY}"] <= 30_000


@pytest.mark.parametrize(
    "command",
    [
        ("HSET", "a", "b"),
        ("RPUSH", "a"),
        ("SET", ""),
        ("SET", b"=" + b"x" * (LARGEST_TEXT + 1), "PX", 10_000),
        ("SET", b"=" + b"x" * 20_000_000, "PX", 10_000),
    ],
    ids=["hash", "list", "empty", "too long", "much too long"],
)
async def test_what_no_scanner_writes_is_thrown_away_unread(
    valkey: Valkey, farm: str, command: tuple[str | bytes | int, ...]
) -> None:
    async with in_redis(valkey, farm) as shared, operator(valkey) as redis:
        verb, *arguments = command
        await redis.execute_command(verb, f"smtpgated:verdict:{farm}:{KEY}", *arguments)
        assert await shared.look_or_claim(KEY, "a", CLAIM_S) is Look.CLAIMED
        assert await shared.look_or_claim(KEY, "b", CLAIM_S) is Look.TAKEN


@pytest.mark.parametrize(
    ("value", "ends_in_ms"),
    [(b"=" + TEXT, None), (b"?token", None), (b"x", 10_000), (b"\0", 10_000), (TEXT, 10_000)],
)
async def test_what_has_no_end_or_no_form_is_nonsense(
    valkey: Valkey, farm: str, value: bytes, ends_in_ms: int | None
) -> None:
    async with in_redis(valkey, farm) as shared, operator(valkey) as redis:
        await redis.set(f"smtpgated:verdict:{farm}:{KEY}", value, px=ends_in_ms)
        before = metrics.CACHE_NONSENSE()._value.get()
        assert await shared.look_or_claim(KEY, "a", CLAIM_S) is Look.NONSENSE
        assert metrics.CACHE_NONSENSE()._value.get() == before + 1
        await shared.keep(KEY, TEXT, 30.0)
        assert isinstance(await shared.look_or_claim(KEY, "a", CLAIM_S), Kept)


async def test_scripts_that_redis_forgot_are_told_again(valkey: Valkey, farm: str) -> None:
    async with in_redis(valkey, farm) as shared, operator(valkey) as redis:
        await shared.look_or_claim(KEY, "a", CLAIM_S)
        await redis.script_flush()
        assert await shared.look_or_claim(KEY, "b", CLAIM_S) is Look.TAKEN


def failures(kind: FailureKind) -> float:
    return float(metrics.CACHE_SHARED_FAILURES(kind)._value.get())


async def test_a_redis_that_is_slow_is_not_waited_for_and_mixes_nothing_up(
    valkey: Valkey, farm: str
) -> None:
    async with in_redis(valkey, farm, deadline_s=0.5) as shared, operator(valkey) as redis:
        await shared.keep(KEY, TEXT, 30.0)
        await shared.keep(OTHER_KEY, b"other", 30.0)
        before = failures(FailureKind.TIMED_OUT)
        await redis.execute_command("CLIENT", "PAUSE", 10_000, "WRITE")
        assert await shared.look_or_claim(KEY, "a", CLAIM_S) is Look.AWAY
        assert failures(FailureKind.TIMED_OUT) == before + 1
        await redis.execute_command("CLIENT", "UNPAUSE")
        # The answer to the first question must not become that to the second.
        found = await shared.look_or_claim(OTHER_KEY, "a", CLAIM_S)
        assert isinstance(found, Kept)
        assert found.text == b"other"


async def test_a_look_that_is_given_up_mixes_nothing_up(valkey: Valkey, farm: str) -> None:
    async with in_redis(valkey, farm) as shared, operator(valkey) as redis:
        await shared.keep(KEY, TEXT, 30.0)
        await shared.keep(OTHER_KEY, b"other", 30.0)
        await redis.execute_command("CLIENT", "PAUSE", 10_000, "WRITE")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await shared.look_or_claim(KEY, "a", CLAIM_S)
        await redis.execute_command("CLIENT", "UNPAUSE")
        found = await shared.look_or_claim(OTHER_KEY, "a", CLAIM_S)
        assert isinstance(found, Kept)
        assert found.text == b"other"


async def test_a_redis_that_is_away_is_said_once_and_so_is_its_return(
    own_valkey: Valkey, farm: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "scanner.cache.shared")
    async with in_redis(own_valkey, farm) as shared:
        before = failures(FailureKind.UNREACHABLE)
        for _ in range(20):
            assert await shared.look_or_claim(KEY, "a", CLAIM_S) is Look.AWAY
        await shared.keep(KEY, TEXT, 30.0)
        await shared.release(KEY, "a")
        assert metrics.CACHE_SHARED_UP()._value.get() == 0
        asked = failures(FailureKind.UNREACHABLE) - before
        assert asked < 10, "it is left alone after some failures"
        own_valkey.start()
        async with asyncio.timeout(PATIENT_S):
            look: Kept | Look = Look.AWAY
            while look is Look.AWAY:
                await asyncio.sleep(0.02)
                look = await shared.look_or_claim(KEY, "a", CLAIM_S)
        assert metrics.CACHE_SHARED_UP()._value.get() == 1
    assert [each.msg for each in caplog.records] == ["verdict cache away", "verdict cache answers"]


async def test_a_redis_that_is_killed_and_comes_back_empty_is_used_again(
    own_valkey: Valkey, farm: str
) -> None:
    own_valkey.start()
    async with in_redis(own_valkey, farm) as shared:
        await shared.keep(KEY, TEXT, 30.0)
        own_valkey.kill()
        assert await shared.look_or_claim(KEY, "a", CLAIM_S) is Look.AWAY
        own_valkey.start()
        assert await shared.look_or_claim(KEY, "a", CLAIM_S) is Look.CLAIMED


async def test_a_user_that_may_do_no_more_than_scanners_need_is_enough(
    valkey: Valkey, farm: str
) -> None:
    rights = "~smtpgated:verdict:* resetchannels -@all +evalsha +eval +get +set +del +strlen +pttl"
    async with operator(valkey) as redis:
        await redis.execute_command(
            "ACL", "SETUSER", f"scanner-{farm}", "on", ">secret", *rights.split()
        )
    url = valkey.url.replace("unix://", f"unix://scanner-{farm}:secret@")
    shared = InRedis(RedisLink(url, PATIENT_S), farm)
    assert await shared.look_or_claim(KEY, "a", CLAIM_S) is Look.CLAIMED
    await shared.release(KEY, "a")
    assert await shared.look_or_claim(KEY, "b", CLAIM_S) is Look.CLAIMED
    await shared.keep(KEY, TEXT, 30.0)
    assert isinstance(await shared.look_or_claim(KEY, "c", CLAIM_S), Kept)
    await shared.aclose()


async def closes(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Without a word."""


async def says_nothing(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


def says(octets: bytes) -> Script:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(octets)
        await reader.read()

    return script


@pytest.mark.parametrize(
    "script",
    [
        closes,
        says_nothing,
        says(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
        says(b"\x00\xff\xfe\r\n" * 100),
        says(b"-ERR not here\r\n" * 5),
        says(b"-LOADING wait\r\n" * 5),
        says(b"-NOAUTH Authentication required.\r\n" * 5),
        says(b"+OK\r\n" * 5),
        says(b"$-1\r\n" * 5),
        says(b":7\r\n" * 5),
        says(b"*2\r\n$1\r\n=\r\n:-1\r\n" * 5),
        says(b"*2\r\n:1\r\n:1\r\n" * 5),
        says(b"*3\r\n$1\r\n=\r\n:1\r\n:1\r\n" * 5),
        says(b"$99999999999\r\n=" + b"x" * 1000),
        says(b"*99999999\r\n" * 5),
        says(b"*1\r\n" * 10_000),
    ],
)
async def test_whatever_else_listens_there_is_no_cache_and_no_error(
    script: Script, farm: str
) -> None:
    async with double(script) as listener:
        shared = InRedis(RedisLink(f"unix://{listener.address.path}", 0.05), farm)
        for _ in range(2):
            look = await shared.look_or_claim(KEY, "a", CLAIM_S)
            assert look in (Look.AWAY, Look.NONSENSE)
        await shared.keep(KEY, TEXT, 30.0)
        await shared.release(KEY, "a")
        await shared.aclose()
