"""``python -m bench``: run everything, print Markdown, keep it in bench/results/."""

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from bench import load, peers
from bench.figures import Figures, Table
from bench.report import markdown
from bench.usage import Machine, cpu_s, rss_mib
from lab.farm import Farm
from lab.farm_plan import FarmPlan
from service_kit.addresses import HostPort, UnixOrTcp
from tests.support.engines import clamd_running

RESULTS: Final = Path(__file__).parent / "results"
MESSAGES: Final = {1: 600, 16: 2400, 64: 2400}
LATENCY_MESSAGES: Final = {1: 400, 16: 1600, 64: 1600}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of everything (default 3)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="smtp-gated-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        say("starting sink, HAProxy, clamd and the farm")
        sink, sink_process = stack.enter_context(peers.sink(folder))
        relay, relay_process = stack.enter_context(peers.tcp_relay(folder, sink))
        clamd = stack.enter_context(clamd_running(folder / "clamd"))
        farm = stack.enter_context(Farm(plan(folder / "farm", sink, clamd.address)))
        ways = {"direct": sink, "HAProxy": relay, "farm": farm.edge_address}
        pids = {
            **farm.processes,
            "clamd": clamd.pid,
            "HAProxy": relay_process.pid,
            "sink": sink_process.pid,
        }
        table = measured(ways, pids, asked.rounds)
        memory = {name: rss_mib(pid) for name, pid in pids.items()}
    text = markdown(table, memory, Machine.here())
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "latest.md").write_text(text)
    sys.stdout.write(text)
    return 0


def plan(folder: Path, upstream: HostPort, clamd: str) -> FarmPlan:
    """clamd alone judges: what is measured is the farm, not an engine in Python."""
    return FarmPlan(
        directory=folder,
        upstream=upstream,
        clamd=UnixOrTcp.parse(clamd),
        embedded_engine=False,
    )


def measured(ways: dict[str, HostPort], pids: dict[str, int], rounds: int) -> Table:
    table: Table = {(sessions, way): Figures() for sessions in MESSAGES for way in ways}
    for target in ways.values():
        load.throughput(target, 4, 100)  # warm
    for turn in range(rounds):
        for sessions, messages in MESSAGES.items():
            for way, target in ways.items():
                say(f"round {turn + 1} of {rounds}: {sessions} sessions, {way}")
                figures = table[sessions, way]
                before = {name: cpu_s(pid) for name, pid in pids.items()}
                figures.messages_per_s.append(load.throughput(target, sessions, messages))
                for name, pid in pids.items():
                    spent_ms = (cpu_s(pid) - before[name]) * 1000 / messages
                    figures.cpu_ms.setdefault(name, []).append(spent_ms)
                figures.latencies_ms += load.latencies_ms(
                    target, sessions, LATENCY_MESSAGES[sessions]
                )
    say("")
    return table


def say(progress: str) -> None:
    """One line that replaces itself, on a terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{progress}")
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
