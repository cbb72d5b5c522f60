"""``python -m lab send``: the demonstration's messages to a server elsewhere, and the table.

For a customer's host whose way leads through a farm: the far server's folder says what came,
the farm's REST API what was found. The exit code is 0 only if every row is as it must be.
"""

import argparse
import asyncio
import json
import socket
import ssl
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console

from lab.admin_client import AdminClient
from lab.demo.cases import Verdict, cases
from lab.demo.clients import PATIENCE_S, send_all
from lab.demo.table import Row, table
from lab.demo.verdicts import verdicts
from service_kit.addresses import HostPort
from service_kit.errors import ConfigError

_WIDTH_IN_A_FILE: Final = 140


@dataclass(frozen=True, slots=True)
class Kept:
    """What the far server's folder says of one message."""

    content: bytes
    under_tls: bool
    client: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to send, and where to ask afterwards."""
    for name, meaning in (
        ("--to", "the server, as if there were no farm"),
        ("--admin", "the farm's REST API"),
    ):
        parser.add_argument(
            name, type=HostPort.parse, required=True, metavar="HOST:PORT", help=meaning
        )
    parser.add_argument("--token-file", type=Path, required=True, metavar="FILE")
    parser.add_argument(
        "--store", type=Path, required=True, metavar="FOLDER", help="where the server keeps mail"
    )
    parser.add_argument(
        "--seen-as", default="", metavar="ADDRESS", help="who the server must take us for"
    )


def send(asked: argparse.Namespace) -> int:
    """All of it; the exit code. ConfigError: the token cannot be read."""
    try:
        token = asked.token_file.read_text(encoding="ascii").split("\n")[0].strip()
    except OSError as wrong:
        raise ConfigError(f"--token-file {asked.token_file}: {wrong.strerror}") from None
    admin = AdminClient(asked.admin, token)
    with _exempt(admin, asked.to):
        rows = asyncio.run(_rows(asked.to, admin, asked.store))
    console = Console(width=None if sys.stdout.isatty() else _WIDTH_IN_A_FILE, highlight=False)
    console.print(table(rows))
    strangers = sorted({row.kept.client for row in rows if isinstance(row.kept, Kept)})
    console.print(f"the server saw: {', '.join(strangers)}")
    taken_for_whom_it_must = not asked.seen_as or strangers == [asked.seen_as]
    return 0 if taken_for_whom_it_must and not any(row.faults for row in rows) else 1


@contextmanager
def _exempt(admin: AdminClient, server: HostPort) -> Iterator[None]:
    """The infected messages would lock us out, and the rest of the table with us."""
    with socket.create_connection((server.host, server.port), PATIENCE_S) as connection:
        subject = f"address:{connection.getsockname()[0]}"
    admin.post("/api/v1/exemptions", {"subject": subject, "reason": "the lab sends its table"})
    try:
        yield
    finally:
        admin.delete(f"/api/v1/exemptions/{subject}")


async def _rows(server: HostPort, admin: AdminClient, store: Path) -> list[Row]:
    shown = cases()
    told = await send_all(shown, server, _anybody())
    read = [case.sample.sender for case in shown if case.verdict is not Verdict.UNREAD]
    said = await verdicts(admin, read)
    kept = _kept(store)
    return [
        Row(case, each, kept.get(case.sample.sender), said.get(case.sample.sender))
        for case, each in zip(shown, told, strict=True)
    ]


def _anybody() -> ssl.SSLContext:
    """The far server signs its certificate itself, as most of those do that mail goes to."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _kept(store: Path) -> Mapping[str, Kept]:
    """By sender."""
    found = {}
    for file in sorted(store.glob("[0-9]*.json")):
        said = json.loads(file.read_text(encoding="ascii"))
        content = file.with_suffix(".eml").read_bytes()
        found[said["reverse_path"]] = Kept(content, said["under_tls"], said["client"])
    return found
