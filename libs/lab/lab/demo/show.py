"""``python -m lab demo``: everything in one command, nothing but this checkout.

With ``--exit`` it ends after the table; else it stays up for the status page until Ctrl-C.
The exit code is 0 only if every row of the table is as it must be.
"""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import uvloop
from rich.console import Console

from lab.admin_client import AdminClient
from lab.demo.cases import Verdict, cases
from lab.demo.clients import send_all
from lab.demo.remembered import remembered
from lab.demo.table import Row, table
from lab.demo.verdicts import verdicts
from lab.far_server import FarPlan, FarServer
from lab.far_server.plan import KEYWORDS
from lab.farm import Farm
from lab.farm_plan import ANY_PORT, FarmPlan
from lab.ports import why_not
from lab.progress import progress_line
from lab.run_plan import DEFAULT_ADMIN, DEFAULT_LISTEN
from lab.workplace import TOKEN_FILE, workplace
from service_kit.addresses import HostPort

_WIDTH_IN_A_FILE: Final = 120
_FAR: Final = FarPlan(keywords=(*KEYWORDS, "STARTTLS"))


def demo(*, ends: bool) -> int:
    """All of it; the exit code."""
    with workplace("demo") as folder, contextlib.suppress(asyncio.CancelledError):
        return uvloop.run(_demo(_console(), folder, ends=ends))
    return 1  # interrupted before the table


async def _demo(console: Console, folder: Path, *, ends: bool) -> int:
    this = asyncio.current_task()
    assert this is not None
    _on_signals(this.cancel)
    async with FarServer(_FAR) as far:
        plan = FarmPlan(
            directory=folder,
            token_file=TOKEN_FILE,
            upstream=far.address,
            listen=(_preferred(console, "the edge", DEFAULT_LISTEN),),
            admin=_preferred(console, "the status page", DEFAULT_ADMIN),
            verdict_cache=True,
        )
        with progress_line() as progress:
            async with Farm(plan, progress) as farm:
                rows = await _rows(far, farm, progress)
                progress("")
                console.print(table(rows))
                known, answers = await remembered(farm.metrics_addresses["scanner"])
                console.print(f"{known} of the {answers} answers of engines were remembered.")
                if not ends:
                    await _stay(console, farm, plan)
    return 1 if any(row.faults for row in rows) else 0


async def _rows(far: FarServer, farm: Farm, progress: Callable[[str], None]) -> list[Row]:
    shown = cases()
    progress("sending messages")
    told = await send_all(shown, farm.edge_address, far.authority.client_context)
    progress("asking for the verdicts")
    admin = AdminClient(farm.admin_address, farm.admin_token)
    read = [case.sample.sender for case in shown if case.verdict is not Verdict.UNREAD]
    said = await verdicts(admin, read)
    kept = {message.reverse_path.decode(): message for message in far.messages}
    return [
        Row(case, each, kept.get(case.sample.sender), said.get(case.sample.sender))
        for case, each in zip(shown, told, strict=True)
    ]


async def _stay(console: Console, farm: Farm, plan: FarmPlan) -> None:
    stopping = asyncio.Event()
    _on_signals(stopping.set)
    console.print(f"The farm stays up: send through {farm.edge_address}, then look at")
    console.print(f"  status page  http://{farm.admin_address}/")
    console.print(f"  REST API     http://{farm.admin_address}/docs")
    console.print(f"  admin token  {farm.admin_token} (kept in {plan.token_file})")
    console.print(f"  logs         {plan.directory}/*.log")
    console.print("Ctrl-C stops it.")
    await farm.watch_async(stopping.is_set)


def _console() -> Console:
    """As wide as the terminal; in a file, wide enough for the table."""
    width = None if sys.stdout.isatty() else _WIDTH_IN_A_FILE
    return Console(width=width, highlight=False)


def _preferred(console: Console, what: str, wish: str) -> HostPort:
    """The address people know, or any free one, saying so."""
    address = HostPort.parse(wish)
    if why := why_not(address):
        console.print(f"{address} cannot be used ({why}): {what} takes a free port")
        return ANY_PORT
    return address


def _on_signals(act: Callable[[], object]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, act)
