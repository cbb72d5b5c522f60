import argparse
import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from service_kit.addresses import HostPort
from service_kit.command_line import (
    EXIT_BUG,
    EXIT_NOT_IN_ORDER,
    EXIT_NOT_READY,
    EXIT_OK,
    PlainVerb,
    Verb,
    service_main,
)
from service_kit.config import Settings
from service_kit.errors import StartError
from service_kit.logs import LogSettings

pytestmark = pytest.mark.usefixtures("root_logger_restored")


class _Probe(Settings):
    count: int = 1
    admin_token: str | None = None
    log: LogSettings = LogSettings()


_ran: list[_Probe] = []


@pytest.fixture(autouse=True)
def _nothing_ran() -> Iterator[None]:
    _ran.clear()
    yield
    _ran.clear()


async def _run(settings: _Probe) -> None:
    _ran.append(settings)


def _main(*argv: str) -> int:
    return service_main("probe", _Probe, "PROBE", _run, argv)


def test_run_serves_with_the_settings_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "probe.toml").write_text("count = 3\n")
    assert _main("run", "-c", str(tmp_path / "probe.toml")) == EXIT_OK
    assert [settings.count for settings in _ran] == [3]


def test_the_environment_is_laid_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROBE_COUNT", "4")
    assert _main("run") == EXIT_OK
    assert [settings.count for settings in _ran] == [4]


def test_a_wrong_configuration_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "probe.toml"
    path.write_text("cuont = 3\n")
    for verb in ("run", "check-config"):
        assert _main(verb, "-c", str(path)) == EXIT_NOT_IN_ORDER
        said = capsys.readouterr().err
        assert said == f"probe: {path}: cuont = 3: no such key; did you mean count?\n"
    assert not _ran


def test_check_config_shows_what_is_in_force_without_secrets(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PROBE_ADMIN_TOKEN", "hunter2")
    assert _main("check-config") == EXIT_OK
    shown = capsys.readouterr().out
    assert "count = 1\n" in shown
    assert "hunter2" not in shown
    assert not _ran


def test_what_cannot_be_started_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    async def run(_settings: _Probe) -> None:
        raise StartError("cannot listen on 127.0.0.1:25: Address already in use")

    assert service_main("probe", _Probe, "PROBE", run, ["run"]) == EXIT_NOT_IN_ORDER
    assert capsys.readouterr().err == (
        "probe: cannot listen on 127.0.0.1:25: Address already in use\n"
    )


def test_a_bug_is_logged_with_its_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    async def run(_settings: _Probe) -> None:
        raise ZeroDivisionError("unforeseen")

    assert service_main("probe", _Probe, "PROBE", run, ["run"]) == EXIT_BUG
    (line,) = map(json.loads, capfd.readouterr().err.splitlines())
    assert line["event"] == "ended by a bug"
    assert line["error"] == ["ZeroDivisionError: unforeseen"]
    assert "test_command_line.py" in line["traceback"][-1]


def test_a_cancellation_nobody_asked_for_is_a_bug(capfd: pytest.CaptureFixture[str]) -> None:
    async def run(_settings: _Probe) -> None:
        raise asyncio.CancelledError

    assert service_main("probe", _Probe, "PROBE", run, ["run"]) == EXIT_BUG
    assert "ended by a bug" in capfd.readouterr().err


def test_a_service_adds_verbs_with_arguments_of_their_own() -> None:
    seen: list[tuple[int, bool]] = []

    def act(settings: _Probe, asked: argparse.Namespace) -> int:
        seen.append((settings.count, asked.v6))
        return 7

    def add_arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--v6", action="store_true")

    verb = Verb("nft", "print rules", act, add_arguments)
    assert service_main("probe", _Probe, "PROBE", _run, ["nft", "--v6"], verbs=[verb]) == 7
    assert seen == [(1, True)]


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["--help"], "PROBE_SECTION__KEY=value"),
        (["--help"], "check-config"),
        (["run", "--help"], "-c FILE"),
        (["--version"], "probe "),
    ],
)
def test_help_teaches(argv: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        _main(*argv)
    assert ended.value.code == 0
    assert says in capsys.readouterr().out


@pytest.mark.parametrize("argv", [[], ["serve"], ["run", "--port", "25"]])
def test_an_unknown_verb_or_argument_ends_with_2(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        _main(*argv)
    assert ended.value.code == EXIT_NOT_IN_ORDER
    assert "usage: probe" in capsys.readouterr().err


_SERVICE = """
import asyncio, sys
from service_kit.command_line import service_main
from service_kit.addresses import HostPort
from service_kit.config import Settings
from service_kit.lifecycle import Lifecycle

class Probe(Settings):
    stubborn: bool = False

async def run(settings):
    life = Lifecycle()
    print("up", flush=True)
    await life.wait_drain()
    print("draining", flush=True)
    if settings.stubborn:
        try:
            await asyncio.Event().wait()
        finally:
            print("closed", flush=True)

sys.exit(service_main("probe", Probe, "PROBE", run, ["run"]))
"""


def _service(*, stubborn: bool) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _SERVICE],
        env={**os.environ, "PROBE_STUBBORN": str(stubborn).lower()},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _next_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_service_with_0(asked: signal.Signals) -> None:
    with _service(stubborn=False) as process:
        assert _next_line(process) == "up\n"
        process.send_signal(asked)
        assert _next_line(process) == "draining\n"
        assert process.wait() == EXIT_OK


def test_a_second_signal_ends_it_at_once_and_cleans_up() -> None:
    with _service(stubborn=True) as process:
        assert _next_line(process) == "up\n"
        process.send_signal(signal.SIGTERM)
        assert _next_line(process) == "draining\n"
        process.send_signal(signal.SIGTERM)
        assert _next_line(process) == "closed\n"
        assert process.wait() == EXIT_OK


def test_a_log_socket_that_is_not_there_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PROBE_LOG__FORMAT", "syslog")
    monkeypatch.setenv("PROBE_LOG__SYSLOG", str(tmp_path / "log"))
    assert _main("run") == EXIT_NOT_IN_ORDER
    assert "cannot be reached: No such file or directory" in capsys.readouterr().err


def test_events_of_the_service_reach_syslog(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as syslogd:
        syslogd.bind(str(tmp_path / "log"))
        syslogd.settimeout(10)
        monkeypatch.setenv("PROBE_LOG__FORMAT", "syslog")
        monkeypatch.setenv("PROBE_LOG__SYSLOG", str(tmp_path / "log"))

        async def run(_settings: _Probe) -> None:
            raise ZeroDivisionError

        assert service_main("probe", _Probe, "PROBE", run, ["run"]) == EXIT_BUG
        assert syslogd.recv(4096).startswith(b"<18>1 ")


def test_a_plain_verb_needs_no_configuration_in_order(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PROBE_COUNT", "many")
    asked: list[argparse.Namespace] = []

    def act(namespace: argparse.Namespace) -> int:
        asked.append(namespace)
        raise StartError("no such lamp")

    def add_arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--red")

    plain = PlainVerb("light", "shine", act, add_arguments)
    argv = ("light", "--red", "a lot")
    code = service_main("probe", _Probe, "PROBE", _run, argv, verbs=[plain])
    assert code == EXIT_NOT_IN_ORDER
    assert asked[0].red == "a lot"
    assert capsys.readouterr().err == "probe: no such lamp\n"
    with pytest.raises(SystemExit):
        service_main("probe", _Probe, "PROBE", _run, ("light", "-c", "FILE"), verbs=[plain])


class _Status(Settings):
    listen: HostPort


class _Served(Settings):
    metrics: _Status | None = None


async def _serve(_settings: _Served) -> None:
    """Never asked to."""


def test_probe_without_a_status_address_says_which_key_is_missing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert service_main("served", _Served, "SERVED", _serve, ["probe"]) == EXIT_NOT_IN_ORDER
    assert "[metrics] listen" in capsys.readouterr().err


def test_probe_of_one_that_does_not_run_exits_as_a_container_engine_wants_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("SERVED_METRICS__LISTEN", f"127.0.0.1:{closed.getsockname()[1]}")
        assert service_main("served", _Served, "SERVED", _serve, ["probe"]) == EXIT_NOT_READY
    assert "not ready" in capsys.readouterr().err
