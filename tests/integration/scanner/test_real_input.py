"""What people send: files that wrap a test file in every way clamd unwraps, SpamAssassin's own
samples, thousands of messages made at random (always the same ones), some of them broken."""

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Final

import pytest

from lab.messages import EICAR
from smtpgated_contracts.values.scan import VerdictKind
from tests.integration.scanner.scanner_process import Caller, scanner
from tests.support.engines import (
    PeerMissing,
    RunningClamd,
    RunningSpamd,
    clamd_running,
    skip_or_fail,
)
from tests.support.mime_samples import SEED, Made, made

TEST_FILES: Final = Path("/usr/share/clamav-testfiles")
SAMPLES: Final = Path("/usr/share/doc/spamassassin/examples")
WRAPPED: Final = "clam.exe"
MESSAGES: Final = 2000
AT_ONCE: Final = 16


def _files(folder: Path, package: str) -> list[Path]:
    if not folder.is_dir():
        skip_or_fail(PeerMissing(f"{folder} is not there (Debian package {package}; make deps)"))
    return sorted(folder.iterdir())


@pytest.fixture
def clamd_that_knows_the_test_file(tmp_path: Path) -> Iterator[RunningClamd]:
    """By its hash, as it is inside archives, and by its code, as packers leave it."""
    _files(TEST_FILES, "clamav-testfiles")
    wrapped = (TEST_FILES / WRAPPED).read_bytes()
    database = tmp_path / "clamd" / "database"
    database.mkdir(parents=True)
    digest = hashlib.md5(wrapped, usedforsecurity=False).hexdigest()
    (database / "file.hdb").write_text(f"{digest}:{len(wrapped)}:Test.Wrapped\n")
    (database / "code.ndb").write_text(f"Test.Code:0:*:{wrapped[0x40:0x70].hex()}\n")
    with clamd_running(tmp_path / "clamd") as running:
        yield running


async def test_every_file_that_wraps_the_test_file_is_found_in_a_message(
    tmp_path: Path, clamd_that_knows_the_test_file: RunningClamd
) -> None:
    tables = f'[engines.clamd]\naddress = "{clamd_that_knows_the_test_file.address}"\n'
    missed = []
    async with scanner(tmp_path, tables) as (_, caller):
        for file in _files(TEST_FILES, "clamav-testfiles"):
            mail = EmailMessage(policy=SMTP)
            mail["Subject"] = file.name
            mail.set_content("See the attachment.\n")
            mail.add_attachment(
                file.read_bytes(), "application", "octet-stream", filename=file.name
            )
            verdict = await caller.stream(mail.as_bytes())
            if verdict.kind is not VerdictKind.INFECTED:
                missed.append(file.name)
    assert missed == []


@pytest.mark.parametrize(
    ("sample", "kind"),
    [("sample-spam.txt", VerdictKind.SUSPECT), ("sample-nonspam.txt", VerdictKind.CLEAN)],
)
async def test_spamassassins_own_samples_are_what_they_are(
    tmp_path: Path, spamd: RunningSpamd, sample: str, kind: VerdictKind
) -> None:
    _files(SAMPLES, "spamassassin")
    content = (SAMPLES / sample).read_bytes().replace(b"\n", b"\r\n")
    tables = f'[engines.spamd]\naddress = "{spamd.address}"\n'
    async with scanner(tmp_path, tables) as (_, caller):
        verdict = await caller.scan(content)
    assert verdict.kind is kind
    assert verdict.missing == ()


@pytest.fixture
async def both(tmp_path: Path, clamd: RunningClamd) -> AsyncIterator[Caller]:
    tables = (
        f'[engines.clamd]\naddress = "{clamd.address}"\n'
        "[engines.yara]\n[panel]\nstop_at_virus = false\n"
    )
    async with scanner(tmp_path, tables) as (_, caller):
        yield caller


async def test_thousands_of_messages_are_judged_and_nothing_infected_passes(both: Caller) -> None:
    chance = random.Random(SEED)
    work = iter([made(chance, EICAR) for _ in range(MESSAGES)])
    wrong: list[Made] = []
    seen: Counter[VerdictKind] = Counter()

    async def one_after_another() -> None:
        for message in work:
            call = both.stream if len(message.content) > 100_000 else both.scan
            verdict = await call(message.content)
            seen[verdict.kind] += 1
            by_clamd = [each for each in verdict.findings if each.engine == "clamd"]
            found = any(each.kind is VerdictKind.INFECTED for each in by_clamd)
            if verdict.missing or found is not message.infected:
                wrong.append(message)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(one_after_another())
    assert [each.how for each in wrong] == []
    assert sum(seen.values()) == MESSAGES
    assert min(seen[VerdictKind.CLEAN], seen[VerdictKind.INFECTED]) > MESSAGES // 10
