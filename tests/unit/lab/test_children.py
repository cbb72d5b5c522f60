"""Children: their output is kept, their end is explained, and none outlives its parent."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from lab.children import Child, ChildEndedError
from tests.support.eventually import eventually
from tests.support.processes import is_gone

FOREVER = "import os, time\nprint('up', os.getpid(), flush=True)\nwhile True: time.sleep(60)"


def python(code: str, log: Path) -> Child:
    return Child("child", (sys.executable, "-c", code), log)


async def pid_it_says(child: Child) -> int:
    await eventually(lambda: "up" in child.log_tail())
    return int(child.log_tail().split()[-1])


async def test_output_of_both_kinds_is_in_the_log(tmp_path: Path) -> None:
    child = python("import sys; print('out'); print('err', file=sys.stderr)", tmp_path / "log")
    await eventually(lambda: child.exit_code is not None)
    assert sorted(child.log_tail().split()) == ["err", "out"]
    assert child.how_it_ended == "ended with exit code 0"


async def test_the_tail_is_the_last_lines(tmp_path: Path) -> None:
    child = python("for n in range(20000): print(n)", tmp_path / "log")
    await eventually(lambda: child.exit_code is not None)
    assert child.log_tail(2) == "19998\n19999"


async def test_a_killed_child_says_so(tmp_path: Path) -> None:
    child = python(FOREVER, tmp_path / "log")
    await pid_it_says(child)
    assert child.kill() == -signal.SIGKILL
    assert "child was ended by SIGKILL" in str(ChildEndedError(child))


async def test_terminate_ends_one_that_obeys(tmp_path: Path) -> None:
    child = python(FOREVER, tmp_path / "log")
    await pid_it_says(child)
    child.terminate()
    await eventually(lambda: child.exit_code is not None)
    assert child.exit_code == -signal.SIGTERM


async def test_killing_takes_the_whole_group_along(tmp_path: Path) -> None:
    grandchild = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {FOREVER!r}])"
    child = python(grandchild, tmp_path / "log")
    pid = await pid_it_says(child)
    assert pid != child.pid
    child.kill()
    await eventually(lambda: is_gone(pid))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children that a parent died")
async def test_a_child_does_not_outlive_a_parent_that_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    parent = f"""
import pathlib, sys, time
from lab.children import Child
child = Child("child", (sys.executable, "-c", {FOREVER!r}), pathlib.Path({str(log)!r}))
print(child.pid, flush=True)
time.sleep(60)
"""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", parent, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    pid = int(await process.stdout.readline())
    process.kill()
    await process.wait()
    await eventually(lambda: is_gone(pid))
