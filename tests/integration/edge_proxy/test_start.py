"""What cannot be started is one sentence on stderr and exit code 2: key, value, what is right."""

import asyncio
import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.edge import toml

FIXED: dict[str, Any] = {"destination": {"server": "mx.example:25"}}


async def run(folder: Path, verb: str, text: str, environ: dict[str, str]) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    path = folder / "edge.toml"
    path.write_text(text)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "edge_proxy", verb, "-c", str(path)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environ},
    )
    async with asyncio.timeout(30):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_a_configuration_in_order_is_shown_with_its_defaults(tmp_path: Path) -> None:
    code, out, err = await run(tmp_path, "check-config", toml(FIXED), {})
    assert (code, err) == (0, "")
    assert 'server = "mx.example:25"' in out
    assert "deadline_s = 60" in out


async def test_what_is_wrong_is_said_before_anything_is_started(tmp_path: Path) -> None:
    wrong = toml({**FIXED, "workers": 0, "scanner": {"deadline_s": "soon"}})
    code, out, err = await run(tmp_path, "run", wrong, {"EDGE_PROXY_LIMITS__SESSIONS": "many"})
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 3
    assert "workers = 0: " in err
    assert '[scanner] deadline_s = "soon": must be a number' in err
    assert 'EDGE_PROXY_LIMITS__SESSIONS = "many": must be a whole number' in err


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_certificate_that_cannot_be_read_is_a_sentence(
    tmp_path: Path, workers: int
) -> None:
    absent = str(tmp_path / "absent.pem")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    tls = {"ca_file": absent, "certificate_file": absent, "key_file": absent}
    listen = {"addresses": [f"127.0.0.1:{port}"]}
    text = toml({**FIXED, "workers": workers, "listen": listen, "tls": tls})
    code, _, err = await run(tmp_path, "run", text, {})
    assert code == 2
    sentence = f"edge-proxy: [tls] ca_file = {absent}: cannot be read: No such file or directory"
    assert sentence in err.splitlines()


async def test_a_metrics_port_that_is_taken_is_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        listen = {"addresses": ["127.0.0.1:0"]}
        text = toml({**FIXED, "listen": listen, "metrics": {"listen": where}})
        code, _, err = await run(tmp_path, "run", text, {})
    assert code == 2
    assert f"edge-proxy: cannot listen on {where} for /metrics" in err


async def test_an_address_that_is_not_ours_is_a_sentence(tmp_path: Path) -> None:
    text = toml({**FIXED, "listen": {"addresses": ["192.0.2.1:2525"]}})
    code, _, err = await run(tmp_path, "run", text, {})
    assert code == 2
    assert err == "edge-proxy: cannot listen on 192.0.2.1:2525: Cannot assign requested address\n"
