"""Real scripts, run for real: /bin/sh is the peer here."""

import logging
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from edge_proxy import metrics
from edge_proxy.events import script as script_module
from edge_proxy.events.names import EventName
from edge_proxy.events.process import LOGGED_OCTETS
from edge_proxy.events.script import EventScript
from edge_proxy.events.settings import EventSettings
from edge_proxy.metrics import ScriptEnd
from tests.support.eventually import eventually
from tests.unit.edge_proxy.events.occurrences import virus


def _written(folder: Path, text: str) -> Path:
    path = folder / "on-event"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def _script(folder: Path, text: str, **settings: Any) -> EventScript:
    path = _written(folder, text)
    return EventScript(
        path, EventSettings(script=path, **settings), "mx.isp.example", ("192.0.2.1", 9199)
    )


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, Any]]:
    """What the log says of every run, in order."""
    said: list[Mapping[str, Any]] = []

    def keep(_log: logging.Logger, _level: int, name: str, /, **fields: Any) -> None:
        said.append({"event": name, **fields})

    monkeypatch.setattr(script_module, "event", keep)
    return said


def _count(end: ScriptEnd) -> float:
    return metrics.EVENT_SCRIPTS(end)._value.get()  # type: ignore[no-any-return]  # what /metrics shows


async def test_a_script_is_given_arguments_variables_and_nothing_else(
    tmp_path: Path, ends: list[Mapping[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_PROXY_ADMIN", "secret of the edge")
    out = tmp_path / "told"
    script = _script(tmp_path, f'for a in "$@"; do echo "arg $a"; done >{out}; env >>{out}; cat')
    script.tell(virus(helo=b'pc\'; rm -rf "$HOME"\n', virus="Test-Signature", lock_s=60))
    await eventually(lambda: ends)
    lines = out.read_text().splitlines()
    assert lines[:4] == ["arg VIRUS", "arg 192.0.2.7", "arg subscriber-17", "arg 198.51.100.25"]
    assert "VIRUS_NAME=Test-Signature" in lines
    assert "LOCK_DURATION=60" in lines
    assert 'HELO=pc\'; rm -rf "$HOME"#' in lines
    assert "SPOOL_NAME=" in lines
    assert not [line for line in lines if "secret" in line]
    assert (ends[0]["found"], ends[0]["end"], ends[0]["code"]) == ("VIRUS", ScriptEnd.DONE, 0)


async def test_what_a_script_writes_is_logged_up_to_a_bound(
    tmp_path: Path, ends: list[Mapping[str, Any]]
) -> None:
    script = _script(tmp_path, "echo one; echo two >&2; head -c 1000000 /dev/zero; exit 3")
    script.tell(virus())
    await eventually(lambda: ends)
    (said,) = ends
    assert (said["end"], said["code"]) == (ScriptEnd.FAILED, 3)
    assert said["output"][:2] == [b"one", b"two"]
    assert sum(map(len, said["output"])) <= LOGGED_OCTETS


async def test_a_script_that_hangs_is_killed_with_what_it_started(
    tmp_path: Path, ends: list[Mapping[str, Any]]
) -> None:
    pids = tmp_path / "pids"
    script = _script(tmp_path, f"sleep 600 & echo $! >{pids}; echo $$ >>{pids}; wait", timeout_s=1)
    script.tell(virus())
    await eventually(lambda: ends)
    assert ends[0]["end"] is ScriptEnd.TIMED_OUT
    for pid in pids.read_text().split():
        await eventually(partial(_is_gone, int(pid)))


def _is_gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except OSError:
        return True
    return state == "Z"


async def test_a_child_that_outlives_the_script_is_not_waited_for(
    tmp_path: Path, ends: list[Mapping[str, Any]]
) -> None:
    pid_file = tmp_path / "pid"
    script = _script(tmp_path, f"sleep 600 & echo $! >{pid_file}")
    script.tell(virus())
    await eventually(lambda: ends)
    assert ends[0]["end"] is ScriptEnd.DONE
    os.kill(int(pid_file.read_text()), 9)


async def test_so_many_run_so_many_wait_and_the_rest_is_dropped_and_counted(
    tmp_path: Path, ends: list[Mapping[str, Any]]
) -> None:
    gate, runs = tmp_path / "gate", tmp_path / "runs"
    os.mkfifo(gate)
    script = _script(tmp_path, f"echo run >>{runs}; read line <{gate}", concurrent=2, queue=3)
    dropped_before = _count(ScriptEnd.DROPPED)
    for _ in range(9):
        script.tell(virus())
    assert len(script) == 5
    assert _count(ScriptEnd.DROPPED) - dropped_before == 4
    assert [each["event"] for each in ends] == ["event scripts do not keep up"]
    await eventually(lambda: runs.exists() and len(runs.read_text().split()) == 2)
    descriptor = os.open(gate, os.O_RDWR)
    os.write(descriptor, b"go\n" * 5)
    await eventually(lambda: len(script) == 0)
    os.close(descriptor)
    assert len(runs.read_text().split()) == 5
    await script.drain(0)


async def test_a_script_that_cannot_be_started_is_a_line_and_no_more(
    tmp_path: Path, ends: list[Mapping[str, Any]]
) -> None:
    script = _script(tmp_path, "exit 0")
    (tmp_path / "on-event").unlink()
    script.tell(virus())
    await eventually(lambda: ends)
    assert ends[0]["end"] is ScriptEnd.NOT_STARTED
    assert b"No such file" in ends[0]["output"][0]


async def test_a_drain_lets_scripts_end_while_there_is_time(
    tmp_path: Path, ends: list[Mapping[str, Any]]
) -> None:
    script = _script(tmp_path, "exit 0", concurrent=1)
    for _ in range(3):
        script.tell(virus())
    await script.drain(30)
    assert [each["end"] for each in ends] == [ScriptEnd.DONE] * 3


async def test_a_drain_kills_what_is_left_at_its_deadline(
    tmp_path: Path, ends: list[Mapping[str, Any]]
) -> None:
    started = tmp_path / "started"
    script = _script(tmp_path, f"echo $$ >{started}; sleep 600", concurrent=1)
    dropped_before = _count(ScriptEnd.DROPPED)
    script.tell(virus())
    script.tell(virus())
    await eventually(lambda: started.exists() and started.read_text().endswith("\n"))
    await script.drain(0)
    assert [each["end"] for each in ends] == [ScriptEnd.CUT]
    assert _count(ScriptEnd.DROPPED) - dropped_before == 1
    await eventually(lambda: _is_gone(int(started.read_text())))


def test_only_events_that_are_on_are_wanted(tmp_path: Path) -> None:
    script = _script(tmp_path, "exit 0", on=("regex", "virus"))
    assert {name for name in EventName if script.wants(name)} == {
        EventName.VIRUS,
        EventName.REGEX_HELO,
        EventName.REGEX_MAIL_FROM,
        EventName.REGEX_RCPT_TO,
    }


def test_rules_and_locks_are_told_only_when_asked_for() -> None:
    assert {"lock", "rule"}.isdisjoint(EventSettings().on)
    assert {"virus", "maxhost", "regex"} <= set(EventSettings().on)


@pytest.mark.parametrize(
    ("name", "mode", "sentence"),
    [
        ("missing", None, "must be an executable file"),
        ("plain", 0o644, "must be an executable file"),
    ],
)
def test_a_script_that_could_not_run_is_a_mistake_in_the_configuration(
    tmp_path: Path, name: str, mode: int | None, sentence: str
) -> None:
    path = tmp_path / name
    if mode is not None:
        path.touch()
        path.chmod(mode)
    with pytest.raises(ValidationError, match=sentence):
        EventSettings(script=path)


def test_a_script_has_one_path_wherever_the_edge_was_started() -> None:
    with pytest.raises(ValidationError, match="must be an absolute path"):
        EventSettings(script=Path("on-event"))
