"""Starting, watching and stopping, tried with parts that are tiny servers."""

import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from lab.children import ChildEndedError
from lab.farm import Farm
from lab.farm_parts import Part
from lab.farm_plan import FarmPlan, Places
from service_kit.probe import why_not_ready
from tests.support.processes import is_gone

READY = """
import http.server, sys
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
print("up", flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Ready).serve_forever()
"""
ENDS = "import sys; sys.exit('nothing to do')"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + READY
LOSES_ITS_PORT_ONCE = """
import pathlib, sys
seen = pathlib.Path(sys.argv[2], "seen")
if not seen.exists():
    seen.touch()
    print("part: cannot listen on 127.0.0.1:1: Address already in use")
    sys.exit(2)
"""


def made_of(**codes: str) -> Callable[[FarmPlan, Places], Sequence[Part]]:
    """A farm of these programs, each told the port of its /readyz."""

    def parts(plan: FarmPlan, places: Places) -> Sequence[Part]:
        def part(name: str, code: str) -> Part:
            metrics = places.metrics[name]
            command = (sys.executable, "-c", code, str(metrics.port), str(plan.directory))
            return Part(name, command, lambda: why_not_ready(metrics))

        return [part(name, code) for name, code in codes.items()]

    return parts


def farm(folder: Path, **codes: str) -> Farm:
    return Farm(FarmPlan(directory=folder), make_parts=made_of(**codes))


def test_it_runs_while_it_is_entered_and_leaves_nothing(tmp_path: Path) -> None:
    with farm(tmp_path, policy=READY, edge=READY) as running:
        assert set(running.processes) == {"policy", "edge"}
        pids = tuple(running.processes.values())
        assert not any(map(is_gone, pids))
    assert running.processes == {}
    assert all(map(is_gone, pids))


async def test_it_can_be_entered_from_a_loop(tmp_path: Path) -> None:
    async with farm(tmp_path, policy=READY, edge=READY) as running:
        (pid, _) = running.processes.values()
    assert is_gone(pid)


def test_a_part_that_ends_at_the_start_is_named_with_its_last_words(tmp_path: Path) -> None:
    with (
        pytest.raises(ChildEndedError, match=r"(?s)scanner ended with exit code 1.*nothing to do"),
        farm(tmp_path, policy=READY, scanner=ENDS) as running,
    ):
        pytest.fail("it is not ready")
    assert "running" not in locals()


def test_a_part_that_ends_later_ends_the_watch(tmp_path: Path) -> None:
    with farm(tmp_path, policy=READY, edge=READY) as running:
        running.child("policy").send(signal.SIGKILL)
        with pytest.raises(ChildEndedError, match="policy was ended by SIGKILL"):
            running.watch()


def test_a_watch_ends_when_it_is_told_to(tmp_path: Path) -> None:
    with farm(tmp_path, edge=READY) as running:
        running.watch(until=lambda: True)


def test_a_part_that_lost_its_port_is_started_again_elsewhere(tmp_path: Path) -> None:
    with farm(tmp_path, policy=READY, edge=LOSES_ITS_PORT_ONCE + READY) as running:
        assert set(running.processes) == {"policy", "edge"}


def test_what_is_killed_can_be_restarted(tmp_path: Path) -> None:
    with farm(tmp_path, policy=READY, edge=READY) as running:
        before = running.processes["policy"]
        running.kill("policy")
        assert set(running.processes) == {"edge"}
        running.restart("policy")
        assert running.processes["policy"] != before


def test_a_part_that_does_not_obey_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lab.farm.STOPPED_WITHIN_S", 0.1)
    with farm(tmp_path, policy=DEAF) as running:
        child = running.child("policy")
    assert child.exit_code == -signal.SIGKILL


def test_a_very_long_folder_still_has_a_socket_for_valkey(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    seen: list[Path] = []

    def parts(plan: FarmPlan, places: Places) -> Sequence[Part]:
        seen.append(places.valkey)
        return made_of(edge=READY)(plan, places)

    with Farm(FarmPlan(directory=folder), make_parts=parts):
        assert len(str(seen[0])) < 104
        assert seen[0].parent.exists()
    assert not seen[0].parent.exists()
