"""A scanner and a policy tell the service manager when they serve (Type=notify); edges have
their own test, because at a handover there is more to tell."""

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.support.eventually import PATIENCE_S


def scanner_configuration(folder: Path) -> str:
    (folder / "rules.yar").write_text("rule nothing { condition: false }\n")
    return f"""
[listen]
address = "127.0.0.1:0"
[engines.yara]
rules = ["{folder / "rules.yar"}"]
"""


def policy_configuration(folder: Path) -> str:
    token = folder / "token"
    token.touch(mode=0o600)
    token.write_text("0123456789abcdef" * 4 + "\n")
    return f"""
[listen]
address = "127.0.0.1:0"
[admin]
listen = "127.0.0.1:0"
token_file = "{token}"
[redis]
url = "redis://127.0.0.1:1/0"
"""


SERVICES: Final = {"scanner": scanner_configuration, "policy": policy_configuration}


@pytest.mark.parametrize("service", SERVICES)
async def test_it_says_that_it_is_ready(service: str, tmp_path: Path) -> None:
    configuration: Callable[[Path], str] = SERVICES[service]
    path = tmp_path / f"{service}.toml"
    path.write_text(configuration(tmp_path))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE_S)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", service, "run", "-c", str(path)),
            cwd=tmp_path,
            stderr=asyncio.subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "NOTIFY_SOCKET": str(tmp_path / "notify")},
        )
        try:
            assert await asyncio.to_thread(manager.recv, 4096) == b"READY=1"
        finally:
            process.terminate()
            await process.wait()
    assert process.returncode == 0
