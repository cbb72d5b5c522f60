"""Engines that are away, limits that are reached, signals, and configurations that cannot work."""

import asyncio
import socket
import urllib.request
from collections.abc import Callable
from pathlib import Path

import grpc
import grpc.aio
import pytest
import trustme

from lab import messages
from lab.ports import free_port
from service_kit.tls import TlsSettings
from smtpgated_contracts.values.scan import EngineClass, VerdictKind
from tests.contract.scanner import doubles
from tests.integration.scanner.scanner_process import (
    LISTEN,
    NOT_SERVING,
    SERVING,
    calling,
    scanner,
    scanner_process,
)
from tests.support.engines import RunningClamd, RunningSpamd, clamd_running, spamd_running
from tests.support.eventually import eventually

YARA = "[engines.yara]\nworkers = 1\n"


def table(engine: str, address: object, *lines: str) -> str:
    return "\n".join((f"[engines.{engine}]", f'address = "{address}"', *lines, ""))


async def test_clamd_killed_is_unscanned_and_not_serving_until_it_is_back(
    tmp_path: Path, clamd: RunningClamd
) -> None:
    with clamd_running(tmp_path / "clamd") as mortal:
        link = tmp_path / "clamd.ctl"
        link.symlink_to(mortal.address)
        async with scanner(tmp_path, table("clamd", link)) as (_, caller):
            assert (await caller.scan(b"hello")).kind is VerdictKind.CLEAN
            await caller.becomes(SERVING)
            mortal.kill()
            verdict = await caller.scan(b"hello")
            assert verdict.kind is VerdictKind.UNSCANNED
            assert verdict.missing[0].engine_class is EngineClass.VIRUS
            assert verdict.missing[0].reason.startswith("clamd: cannot be reached")
            await caller.becomes(NOT_SERVING)
            link.unlink()
            link.symlink_to(clamd.address)
            assert (await caller.scan(b"hello")).kind is VerdictKind.CLEAN
            await caller.becomes(SERVING)


async def test_spamd_killed_is_unscanned_for_spam_alone_and_goes_on_serving(
    tmp_path: Path, clamd: RunningClamd
) -> None:
    with spamd_running(tmp_path / "spamd") as mortal:
        tables = table("clamd", clamd.address) + table("spamd", mortal.address)
        async with scanner(tmp_path, tables) as (process, caller):
            assert (await caller.scan(messages.clean().content)).kind is VerdictKind.CLEAN
            mortal.kill()
            verdict = await caller.scan(messages.clean().content)
            assert verdict.kind is VerdictKind.UNSCANNED
            assert [each.engine_class for each in verdict.missing] == [EngineClass.SPAM]
            infected = await caller.scan(messages.eicar_attached().content)
            assert infected.kind is VerdictKind.INFECTED
            await eventually(lambda: process.named("engine away"))
            await caller.becomes(SERVING)


async def test_clamd_at_its_own_limit_is_unscanned(tmp_path: Path) -> None:
    with clamd_running(tmp_path / "clamd", "StreamMaxLength 2M") as small:
        async with scanner(tmp_path, table("clamd", small.address)) as (_, caller):
            verdict = await caller.stream(b"x" * 3_000_000)
            assert verdict.kind is VerdictKind.UNSCANNED
            assert "beyond its limit" in verdict.missing[0].reason


async def test_content_that_clamd_did_not_look_at_is_not_infected_but_unscanned(
    tmp_path: Path,
) -> None:
    with clamd_running(tmp_path / "clamd", "MaxFileSize 1M") as small:
        async with scanner(tmp_path, table("clamd", small.address)) as (_, caller):
            verdict = await caller.stream(b"x" * 3_000_000)
            assert verdict.kind is VerdictKind.UNSCANNED
            assert "did not look at all of it" in verdict.missing[0].reason


async def test_content_beyond_the_scanners_limit_is_unscanned_and_not_read(tmp_path: Path) -> None:
    limits = "[limits]\ncontent_octets = 1_000_000\n"
    async with scanner(tmp_path, YARA + limits) as (_, caller):
        verdict = await caller.stream(b"x" * 50_000_000)
        assert verdict.kind is VerdictKind.UNSCANNED
        assert "more than 1000000 octets" in verdict.missing[0].reason
        assert (await caller.stream(b"x" * 1_000_000)).kind is VerdictKind.CLEAN


async def test_one_scan_too_many_is_refused_at_once_and_room_comes_back(tmp_path: Path) -> None:
    async with doubles.double(doubles.clamd_hanging) as hanging:
        tables = table("clamd", hanging.address) + "[limits]\nconcurrent_scans = 2\n"
        async with scanner(tmp_path, tables) as (_, caller):
            async with asyncio.TaskGroup() as group:
                running = [group.create_task(caller.scan(b"x")) for _ in range(2)]
                await eventually(lambda: hanging.connections >= 3)  # one asks the version
                with pytest.raises(grpc.aio.AioRpcError) as refused:
                    await caller.scan(b"x")
                assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
                for each in running:
                    each.cancel()
            await hanging.closed.wait()
            verdict = await caller.scan(b"x", timeout_s=1.0)
            assert "no answer in time" in verdict.missing[0].reason


async def test_sigterm_lets_a_scan_under_way_finish_and_takes_no_new_one(tmp_path: Path) -> None:
    asked, answer = asyncio.Event(), asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.readuntil(b"\0") == b"zVERSION\0":
            writer.write(b"ClamAV 1\0")
            return
        await doubles.asked(reader)
        asked.set()
        await answer.wait()
        writer.write(b"1: stream: Late FOUND\0")
        await reader.readexactly(1)

    async with (
        doubles.double(slow) as engine,
        scanner(tmp_path, table("clamd", engine.address)) as (process, caller),
    ):
        async with asyncio.TaskGroup() as group:
            scanning = group.create_task(caller.scan(b"x"))
            await asked.wait()
            process.terminate()
            await eventually(lambda: process.named("draining"))
            async with calling(await process.port()) as newcomer:
                with pytest.raises(grpc.aio.AioRpcError) as refused:
                    await newcomer.scan(b"x")
                assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
            answer.set()
        assert scanning.result().names == ("Late",)
        assert await process.process.wait() == 0
        assert process.named("stopped")


async def test_a_scanner_that_is_killed_leaves_no_process_behind(tmp_path: Path) -> None:
    async with scanner(tmp_path, YARA) as (process, _):
        workers = process.children()
        assert len(workers) == 1
        process.process.kill()
        await process.process.wait()
        await eventually(lambda: not any(each.exists() for each in workers))


@pytest.mark.parametrize(
    ("tables", "sentence"),
    [
        (
            lambda _: table("clamd", "/nonexistent/clamd.ctl", "required_at_start = true"),
            "scanner: [engines.clamd] does not answer: cannot be reached (/nonexistent/clamd.ctl: ",
        ),
        (
            lambda folder: f'[engines.yara]\nrules = ["{folder}/none.yar"]\n',
            "none.yar: cannot be read: No such file or directory\n",
        ),
        (lambda _: "", "engines"),
    ],
    ids=["required engine away", "no rule file", "no engine"],
)
async def test_what_must_be_mended_is_one_sentence_and_exit_code_two(
    tmp_path: Path, tables: Callable[[Path], str], sentence: str
) -> None:
    async with scanner_process(tmp_path, LISTEN + tables(tmp_path)) as process:
        assert await process.process.wait() == 2
    (line,) = process.said
    assert sentence in line


async def test_a_port_in_use_is_one_sentence_and_exit_code_two(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f'[listen]\naddress = "127.0.0.1:{taken.getsockname()[1]}"\n'
        async with scanner_process(tmp_path, listen + YARA) as process:
            assert await process.process.wait() == 2
    (line,) = process.said
    assert "cannot listen on" in line


async def test_an_engine_that_is_away_at_the_start_is_not_serving(tmp_path: Path) -> None:
    async with scanner(tmp_path, table("clamd", "/nonexistent/clamd.ctl")) as (process, caller):
        await caller.becomes(NOT_SERVING)
        assert (await caller.scan(b"x")).kind is VerdictKind.UNSCANNED
        assert process.named("engine away")


async def test_metrics_tell_what_happened(tmp_path: Path, spamd: RunningSpamd) -> None:
    where = free_port("127.0.0.1")
    tables = YARA + table("spamd", spamd.address) + f'[metrics]\nlisten = "{where}"\n'
    async with scanner(tmp_path, tables) as (_, caller):
        await caller.scan(messages.gtube().content)
        await caller.scan(messages.eicar_attached().content)

        def fetched(path: str) -> str:
            with urllib.request.urlopen(f"http://{where}{path}", timeout=20) as page:
                text: str = page.read().decode()
            return text

        text = await asyncio.to_thread(fetched, "/metrics")
        assert await asyncio.to_thread(fetched, "/readyz") == "ready\n"
    for line in (
        'scanner_scans_total{verdict="suspect"} 1.0',
        'scanner_scans_total{verdict="infected"} 1.0',
        'scanner_scans_total{verdict="clean"} 0.0',
        "scanner_scans_in_flight 0.0",
        "scanner_held_octets 0.0",
        'scanner_engine_up{engine="spamd"} 1.0',
        'scanner_engine_up{engine="yara"} 1.0',
        'scanner_engine_seconds_count{engine="yara",result="found"} 2.0',
    ):
        assert line in text.splitlines()


async def test_with_tls_only_our_own_certificates_are_served(tmp_path: Path) -> None:
    ours, theirs = trustme.CA(), trustme.CA()

    def issued(authority: trustme.CA, name: str) -> TlsSettings:
        files = [tmp_path / f"{name}.{kind}" for kind in ("ca", "pem", "key")]
        leaf = authority.issue_cert("localhost")
        ours.cert_pem.write_to_path(str(files[0]))
        files[1].write_bytes(b"".join(each.bytes() for each in leaf.cert_chain_pems))
        leaf.private_key_pem.write_to_path(str(files[2]))
        return TlsSettings(ca_file=files[0], certificate_file=files[1], key_file=files[2])

    tls = issued(ours, "scanner")
    written = "\n".join(f'{key} = "{value}"' for key, value in tls if value)
    async with scanner_process(tmp_path, f"{LISTEN}{YARA}[tls]\n{written}\n") as process:
        port = await process.port()
        async with calling(port, issued(ours, "edge")) as caller:
            assert (await caller.scan(b"x")).kind is VerdictKind.CLEAN
        for stranger in (issued(theirs, "stranger"), None):
            async with calling(port, stranger) as caller:
                with pytest.raises(grpc.aio.AioRpcError) as refused:
                    await caller.scan(b"x", timeout_s=10)
                assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
