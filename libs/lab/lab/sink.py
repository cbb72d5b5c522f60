"""``python -m lab sink``: a far server as a process, for benches and for other hosts.

It prints one JSON line when it listens, and one when it stops:
``{"listening": "127.0.0.1:40001"}``, ``{"messages": 12, "sessions": 3}``.
"""

import argparse
import asyncio
import json
import signal
from pathlib import Path

import uvloop

from lab.far_server.plan import KEYWORDS, FarPlan
from lab.far_server.server import FarServer
from service_kit.addresses import HostPort


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the far server can be told on a command line."""
    parser.add_argument(
        "--listen", type=HostPort.parse, default=HostPort("127.0.0.1", 0), metavar="HOST:PORT"
    )
    parser.add_argument("--store", type=Path, metavar="FOLDER", help="write every message there")
    parser.add_argument(
        "--keep", type=int, default=0, metavar="N", help="messages to remember (0: count them only)"
    )
    parser.add_argument(
        "--offer",
        action="append",
        metavar="KEYWORD",
        help=f"an EHLO line, as often as needed (default: {', '.join(KEYWORDS)})",
    )
    parser.add_argument(
        "--octets-per-s", type=int, default=0, metavar="N", help="read no faster (0: at full speed)"
    )


def sink(asked: argparse.Namespace) -> None:
    """Serve until SIGTERM or SIGINT. StartError: the address cannot be had."""
    plan = FarPlan(
        keywords=tuple(asked.offer or KEYWORDS),
        keep=asked.keep,
        octets_per_s=asked.octets_per_s,
        receive_buffer_octets=16_384 if asked.octets_per_s else 0,
    )
    if asked.store is not None:
        asked.store.mkdir(parents=True, exist_ok=True)
    uvloop.run(_serve(plan, asked.listen, asked.store))


async def _serve(plan: FarPlan, listen: HostPort, folder: Path | None) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with FarServer(plan, listen, folder) as far:
        print(json.dumps({"listening": str(far.address)}), flush=True)
        await stopping.wait()
    print(json.dumps({"messages": far.message_count, "sessions": far.session_count}), flush=True)
