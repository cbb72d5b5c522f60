"""Figures as Markdown: ratios first, absolute numbers with the machine they belong to."""

from collections.abc import Mapping

from bench.figures import Table
from bench.usage import Machine

FARM = ("edge", "scanner", "policy")
BESIDE = ("valkey", "clamd", "HAProxy", "sink")


def markdown(table: Table, memory: Mapping[str, float], machine: Machine) -> str:
    loads = sorted({sessions for sessions, _ in table})
    return "\n".join(
        [
            f"Measured on {machine}; 5 KB messages, a session each; medians of one run.",
            "",
            "| sessions | direct msg/s | HAProxy / direct | farm / direct | farm / HAProxy |",
            "|---:|---:|---:|---:|---:|",
            *(_speed_row(table, sessions) for sessions in loads),
            "",
            "CPU milliseconds a message through the farm:",
            "",
            f"| sessions | {' | '.join(FARM)} | **together** | {' | '.join(BESIDE)} |",
            "|---:" * (len(FARM) + len(BESIDE) + 2) + "|",
            *(_cpu_row(table, sessions) for sessions in loads),
            "",
            "Milliseconds from the lone dot to its answer, and what each way adds to direct:",
            "",
            "| sessions | direct p50 / p99 | HAProxy adds | farm adds |",
            "|---:|---:|---:|---:|",
            *(_latency_row(table, sessions) for sessions in loads),
            "",
            "Resident memory at the end, MiB: "
            + ", ".join(f"{name} {mib:.0f}" for name, mib in memory.items()),
            "",
        ]
    )


def _speed_row(table: Table, sessions: int) -> str:
    direct, relay, farm = (table[sessions, way].speed() for way in ("direct", "HAProxy", "farm"))
    return (
        f"| {sessions} | {direct:.0f} | {relay / direct:.2f} | {farm / direct:.2f} "
        f"({farm:.0f} msg/s) | {farm / relay:.2f} |"
    )


def _cpu_row(table: Table, sessions: int) -> str:
    farm, relay = table[sessions, "farm"], table[sessions, "HAProxy"]
    own = [farm.cpu(name) for name in FARM]
    beside = [(relay if name == "HAProxy" else farm).cpu(name) for name in BESIDE]
    cells = [
        *(f"{one:.2f}" for one in own),
        f"**{sum(own):.2f}**",
        *(f"{one:.2f}" for one in beside),
    ]
    return f"| {sessions} | {' | '.join(cells)} |"


def _latency_row(table: Table, sessions: int) -> str:
    direct = table[sessions, "direct"]
    cells = [f"{direct.latency_ms(50):.2f} / {direct.latency_ms(99):.2f}"]
    for way in ("HAProxy", "farm"):
        figures = table[sessions, way]
        added = (figures.latency_ms(at) - direct.latency_ms(at) for at in (50, 99))
        cells.append(" / ".join(f"{one:+.2f}" for one in added))
    return f"| {sessions} | {' | '.join(cells)} |"
