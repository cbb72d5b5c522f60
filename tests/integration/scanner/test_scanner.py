"""The scanner process with real engines, as an edge sees it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import NamedTuple

import pytest

from lab import messages
from lab.messages import EICAR
from scanner.core.profile import EngineVersion
from scanner.engines.clamd import ClamdEngine, ClamdSettings
from service_kit.addresses import UnixOrTcp
from smtpgated_contracts.values.scan import EngineClass, Finding, Verdict, VerdictKind
from tests.integration.scanner.scanner_process import SERVING, Caller, ScannerProcess, scanner
from tests.support.engines import SIGNATURE, RunningClamd, RunningSpamd

Call = Callable[[Caller, bytes], Awaitable[Verdict]]
ROUTES = pytest.mark.parametrize("call", [Caller.scan, Caller.stream], ids=["Scan", "ScanStream"])


class Farm(NamedTuple):
    process: ScannerProcess
    caller: Caller


@pytest.fixture
async def farm(tmp_path: Path, clamd: RunningClamd, spamd: RunningSpamd) -> AsyncIterator[Farm]:
    """All three engines, and none is called off: every one's finding can be looked at."""
    tables = (
        f'[engines.clamd]\naddress = "{clamd.address}"\nmax_octets = 100_000_000\n'
        f'[engines.spamd]\naddress = "{spamd.address}"\n'
        "[engines.yara]\n[panel]\nstop_at_virus = false\n"
    )
    async with scanner(tmp_path, tables) as (process, caller):
        yield Farm(process, caller)


def by_engine(verdict: Verdict, engine_class: EngineClass) -> dict[str, Finding]:
    return {
        finding.engine: finding
        for finding in verdict.findings
        if finding.engine_class is engine_class
    }


@ROUTES
async def test_a_clean_message_is_clean_to_everybody(farm: Farm, call: Call) -> None:
    verdict = await call(farm.caller, messages.clean().content)
    assert verdict.kind is VerdictKind.CLEAN
    assert verdict.missing == ()
    assert set(by_engine(verdict, EngineClass.VIRUS)) == {"clamd", "yara"}
    assert set(by_engine(verdict, EngineClass.SPAM)) == {"spamd", "yara"}


@ROUTES
@pytest.mark.parametrize("sample", [messages.eicar_attached, messages.eicar_zipped])
async def test_eicar_is_found_by_clamd_and_by_rules(
    farm: Farm, call: Call, sample: Callable[[], messages.Sample]
) -> None:
    verdict = await call(farm.caller, sample().content)
    assert verdict.kind is VerdictKind.INFECTED
    found = by_engine(verdict, EngineClass.VIRUS)
    assert found["clamd"].name == f"{SIGNATURE}.UNOFFICIAL"
    assert found["yara"].name == "EICAR_Test_File"
    assert {each.kind for each in found.values()} == {VerdictKind.INFECTED}


@ROUTES
async def test_gtube_is_found_by_spamd_and_by_rules(farm: Farm, call: Call) -> None:
    verdict = await call(farm.caller, messages.gtube().content)
    assert verdict.kind is VerdictKind.SUSPECT
    found = by_engine(verdict, EngineClass.SPAM)
    assert found["spamd"].score > 900
    assert "GTUBE" in found["spamd"].name.split(",")
    assert found["yara"].score == 1000


async def test_findings_name_the_version_of_their_engine(farm: Farm) -> None:
    verdict = await farm.caller.scan(messages.clean().content)
    versions = {finding.engine: finding.version for finding in verdict.findings}
    assert versions["clamd"].startswith("ClamAV ")
    assert versions["spamd"].startswith("spamd ")
    assert versions["yara"].startswith("YARA-X ")


def large_mail(*attachments: bytes) -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = "large"
    mail.set_content("see the attachments\n")
    for octets in attachments:
        mail.add_attachment(octets, maintype="application", subtype="octet-stream")
    return mail.as_bytes()


@pytest.mark.parametrize(
    ("last", "kind"),
    [(b"harmless", VerdictKind.CLEAN), (EICAR, VerdictKind.INFECTED)],
    ids=["clean", "infected"],  # not the octets themselves, which reports would keep
)
async def test_thirty_megabytes_are_scanned_to_their_end(
    farm: Farm, last: bytes, kind: VerdictKind
) -> None:
    content = large_mail(bytes(range(256)) * 90_000, last)
    assert len(content) > 30_000_000
    verdict = await farm.caller.stream(content)
    assert verdict.kind is kind
    assert verdict.missing == ()
    assert set(by_engine(verdict, EngineClass.VIRUS)) == {"clamd", "yara"}
    # spamd's limit is 500,000 octets: beyond it spam passes it, by its default.
    assert set(by_engine(verdict, EngineClass.SPAM)) == {"yara"}


async def test_content_is_held_once(tmp_path: Path, clamd: RunningClamd) -> None:
    table = f'[engines.clamd]\naddress = "{clamd.address}"\nmax_octets = 100_000_000\n'
    async with scanner(tmp_path, table) as (process, caller):
        await caller.scan(b"the first scan loads what all scans need")
        before = process.peak_octets()
        content = b"The quick brown fox jumps over the lazy dog.\r\n" * 1_000_000
        assert (await caller.stream(content)).kind is VerdictKind.CLEAN
        assert process.peak_octets() - before < 1.4 * len(content)


async def test_many_scans_at_once_get_each_its_own_verdict(farm: Farm) -> None:
    samples = [messages.clean, messages.eicar_zipped, messages.gtube] * 10
    verdicts = await asyncio.gather(*(farm.caller.scan(make().content) for make in samples))
    kinds = [VerdictKind.CLEAN, VerdictKind.INFECTED, VerdictKind.SUSPECT] * 10
    assert [verdict.kind for verdict in verdicts] == kinds


async def test_a_scan_is_one_line_of_the_log(farm: Farm) -> None:
    await farm.caller.scan(messages.gtube().content)
    farm.process.terminate()
    await farm.process.process.wait()
    (line,) = farm.process.named("scan")
    assert line["session_id"] == "session-1"
    assert line["verdict"] == "suspect"
    assert line["missing"] == []
    assert len(line["findings"]) == 4


async def test_health_says_serving(farm: Farm) -> None:
    await farm.caller.becomes(SERVING)


async def test_clamd_without_an_official_database_tells_its_version_alone(
    clamd: RunningClamd,
) -> None:
    engine = ClamdEngine(ClamdSettings(address=(UnixOrTcp(path=clamd.address),)))
    version = await engine.version()
    assert version == EngineVersion(version.text)
    assert version.text.startswith("ClamAV 1.")
