import os
import subprocess
import sys
from pathlib import Path

import pytest

from service_kit.exposition import (
    SHARED_FOLDER_VARIABLE,
    empty_shared_folder,
    exposition,
    worker_ended,
)
from service_kit.metrics import counter

_WORKER = """
import os, sys
from service_kit.metrics import counter, gauge
counter("unit_worker_sessions", "Sessions.")().inc(3)
gauge("unit_worker_open", "Open sessions.")().set(2)
print(os.getpid(), flush=True)
sys.stdin.read()
"""


def test_one_process_shows_its_own_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SHARED_FOLDER_VARIABLE, raising=False)
    counter("unit_exposed", "Shown.")().inc()
    assert b"unit_exposed_total 1.0\n" in exposition()


def test_workers_are_added_up_and_a_dead_one_has_no_open_sessions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty_shared_folder(tmp_path)
    monkeypatch.setenv(SHARED_FOLDER_VARIABLE, str(tmp_path))
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", _WORKER],
            env={**os.environ, SHARED_FOLDER_VARIABLE: str(tmp_path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    try:
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline()
        shown = exposition()
        assert b"unit_worker_sessions_total 6.0\n" in shown
        assert b"unit_worker_open 4.0\n" in shown
    finally:
        for worker in workers:
            worker.communicate()
    worker_ended(tmp_path, workers[0].pid)
    shown = exposition()
    assert b"unit_worker_sessions_total 6.0\n" in shown
    assert b"unit_worker_open 2.0\n" in shown


def test_what_an_earlier_run_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "counter_1.db").write_bytes(b"old")
    (folder / "keep.txt").write_bytes(b"not ours")
    empty_shared_folder(folder)
    assert [each.name for each in folder.iterdir()] == ["keep.txt"]
