"""Two scanners as an operator runs them, with one Valkey: what one has asked the other knows."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.messages import EICAR
from smtpgated_contracts.values.scan import VerdictKind
from tests.contract.policy.valkey import Valkey
from tests.integration.scanner.scanner_process import LISTEN, scanner, scanner_process
from tests.support.engines import clamd_running
from tests.support.eventually import eventually


@pytest.fixture
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    server = Valkey(Path(tmp_path_factory.mktemp("valkey")))
    server.start()
    yield server
    server.stop()


def copy_to(recipient: str, filling: int = 0) -> bytes:
    to = f"To: {recipient}\r\nSubject: see this\r\n\r\n".encode()
    return to + EICAR + b"\r\n" + b"x" * 76 * filling + b"\r\n"


async def test_copies_are_known_in_the_whole_farm_also_while_clamd_is_away(
    tmp_path: Path, valkey: Valkey
) -> None:
    folders = [tmp_path / name for name in ("one", "other")]
    for folder in folders:
        folder.mkdir()
    with clamd_running(tmp_path / "clamd") as clamd:
        tables = f'[cache]\nurl = "{valkey.url}"\n[engines.clamd]\naddress = "{clamd.address}"\n'
        async with (
            scanner(folders[0], tables) as (_, one),
            scanner(folders[1], tables) as (process, other),
        ):
            (asked,) = (await one.scan(copy_to("a@b.example"))).findings
            (known,) = (await other.scan(copy_to("c@d.example"))).findings
            assert (asked.kind, asked.cached) == (VerdictKind.INFECTED, False)
            assert (known.kind, known.name, known.cached) == (asked.kind, asked.name, True)
            assert known.version == asked.version
            # Whether content came at once or in parts is nobody's business.
            await one.stream(copy_to("a@b.example", 9000))
            (streamed,) = (await other.stream(copy_to("e@f.example", 9000))).findings
            assert streamed.cached
            clamd.kill()
            verdict = await other.scan(copy_to("g@h.example"))
            assert verdict.kind is VerdictKind.INFECTED
            assert (await other.scan(b"what nobody has seen")).kind is VerdictKind.UNSCANNED
            await eventually(lambda: len(process.named("scan")) == 4)
            said = [line["findings"] for line in process.named("scan")]
            assert [["cached" in each for each in line] for line in said] == [[True]] * 3 + [[]]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('url = "redis://:secret@127.0.0.1/0"', "a password belongs into a file"),
        ('url_file = "nowhere"', "[cache] url_file"),
        ("virus_life_s = 0", "virus_life_s"),
        ("life_s = 5", "life_s"),
    ],
)
async def test_a_cache_that_cannot_be_had_as_configured_is_a_sentence_and_no_start(
    tmp_path: Path, line: str, why: str
) -> None:
    configuration = f"{LISTEN}[engines.yara]\nworkers = 1\n[cache]\n{line}\n"
    async with scanner_process(tmp_path, configuration) as process:
        assert await process.process.wait() == 2
        await eventually(lambda: process.said or process.events)
    told = "".join(process.said) + str(process.events)
    assert why in told
    assert "secret" not in told


async def test_a_scanner_without_its_redis_starts_serves_and_ends(tmp_path: Path) -> None:
    nowhere = tmp_path / "valkey.sock"
    tables = f'[cache]\nurl = "unix://{nowhere}"\n[engines.yara]\nworkers = 1\n'
    async with scanner(tmp_path, tables) as (process, caller):
        for number in range(5):
            assert (await caller.scan(b"%d" % number)).kind is VerdictKind.CLEAN
        await eventually(lambda: process.named("verdict cache away"))
        process.process.send_signal(signal.SIGTERM)
        assert await process.process.wait() == 0
