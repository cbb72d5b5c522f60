"""The real process: its exit codes, its sentences, its drain."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import grpc
import httpx
import pytest

from service_kit.grpc_channels import open_channel
from smtpgated.policy.v1 import policy_pb2_grpc
from tests.contract.policy.valkey import Valkey
from tests.integration.policy.farm import TOKEN, Edge
from tests.support.eventually import turns

Write = Callable[..., Path]
Spawn = Callable[..., Awaitable[asyncio.subprocess.Process]]


@pytest.fixture
def write(tmp_path: Path, token_file: Path) -> Write:
    def written(**lines: str) -> Path:
        tables = {
            "listen": 'address = "127.0.0.1:0"',
            "admin": f'listen = "127.0.0.1:0"\ntoken_file = "{token_file}"',
        } | lines
        path = tmp_path / "policy.toml"
        path.write_text("".join(f"[{name}]\n{body}\n" for name, body in tables.items()))
        return path

    return written


@pytest.fixture
async def spawn() -> AsyncIterator[Spawn]:
    async with AsyncExitStack() as stack:

        async def spawned(*arguments: str) -> asyncio.subprocess.Process:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "policy", *arguments),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            )

            async def ended() -> None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.communicate()

            stack.push_async_callback(ended)
            return process

        yield spawned


async def refused(spawn: Spawn, *arguments: str) -> str:
    """What a process says that ends with exit code 2."""
    process = await spawn(*arguments)
    _, errors = await process.communicate()
    assert process.returncode == 2, errors
    lines: str = errors.decode()
    said = [line for line in lines.splitlines() if line.startswith("policy: ")]
    assert "Traceback" not in lines
    return "\n".join(said)


async def test_a_token_file_that_others_may_read_is_refused(
    spawn: Spawn, write: Write, token_file: Path
) -> None:
    token_file.chmod(0o640)  # noqa: ASYNC240 - a small file of this test
    said = await refused(spawn, "run", "-c", str(write()))
    assert f"[admin] token_file = {token_file}: mode 0640" in said
    assert TOKEN not in said


async def test_a_missing_token_file_is_refused_with_the_cure(
    spawn: Spawn, write: Write, token_file: Path
) -> None:
    token_file.unlink()  # noqa: ASYNC240 - a small file of this test
    assert "umask 077" in await refused(spawn, "run", "-c", str(write()))


@pytest.mark.parametrize("table", ["listen", "admin"])
async def test_a_port_in_use_is_refused(
    spawn: Spawn, write: Write, token_file: Path, table: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        lines = {
            "listen": f'address = "127.0.0.1:{port}"',
            "admin": f'listen = "127.0.0.1:{port}"\ntoken_file = "{token_file}"',
        }
        said = await refused(spawn, "run", "-c", str(write(**{table: lines[table]})))
    assert f"cannot listen on 127.0.0.1:{port}" in said
    assert "in use" in said


async def test_required_redis_that_is_not_there_is_refused(
    spawn: Spawn, write: Write, tmp_path: Path
) -> None:
    config = write(redis=f'url = "unix://{tmp_path}/none.sock"\nrequired_at_start = true')
    assert "Redis is required at the start" in await refused(spawn, "run", "-c", str(config))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ({"redis": 'url = "http://127.0.0.1"'}, "redis://"),
        ({"redis": 'url = "redis://:secret@127.0.0.1"'}, "url_file"),
        ({"redis": 'farm = "a{b}"'}, "farm"),
        ({"redis": "deadline_s = 0"}, "deadline_s"),
        ({"redis": 'colour = "red"'}, "colour"),
        ({"redis": 'url = "redis://a"\nurl_file = "b"'}, "not both"),
        ({"rulebook": "file = 5"}, "file"),
    ],
    ids=lambda value: str(value)[:50],
)
async def test_check_config_names_what_is_wrong(
    spawn: Spawn, write: Write, lines: dict[str, str], said: str
) -> None:
    errors = await refused(spawn, "check-config", "-c", str(write(**lines)))
    assert said in errors
    assert "secret" not in errors


async def test_a_rulebook_file_that_is_no_rulebook_is_refused(
    spawn: Spawn, write: Write, tmp_path: Path
) -> None:
    document = tmp_path / "rulebook.toml"
    document.write_text("schema = 1\n[limits]\nconcurrent_sessions = -1\n")
    config = write(rulebook=f'file = "{document}"')
    assert "limits.concurrent_sessions = -1" in await refused(spawn, "run", "-c", str(config))


async def test_sigterm_drains_streams_end_well_and_the_exit_code_is_0(
    spawn: Spawn,
    write: Write,
    token_file: Path,
    valkey: Valkey,
    unused_tcp_port_factory: Callable[[], int],
) -> None:
    grpc_port, admin_port = unused_tcp_port_factory(), unused_tcp_port_factory()
    config = write(
        listen=f'address = "127.0.0.1:{grpc_port}"',
        admin=f'listen = "127.0.0.1:{admin_port}"\ntoken_file = "{token_file}"',
        redis=f'url = "{valkey.url}"\nfarm = "process"\ndeadline_s = 2',
    )
    process = await spawn("run", "-c", str(config))
    channel = open_channel(f"127.0.0.1:{grpc_port}", None)
    edge = Edge(policy_pb2_grpc.PolicyServiceStub(channel))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{admin_port}") as http:
        async with asyncio.timeout(60):
            while not await ready(http):
                await turns()
    watching, stream = edge.watch(), edge.questions()
    await watching.snapshot()
    await stream.open("a")
    process.send_signal(signal.SIGTERM)
    assert await watching.call.code() is grpc.StatusCode.OK
    assert await stream.call.code() is grpc.StatusCode.OK
    await channel.close()
    _, errors = await process.communicate()
    assert process.returncode == 0, errors
    assert b'"draining"' in errors
    assert TOKEN.encode() not in errors


async def ready(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get("/readyz")).status_code == 200
    except httpx.TransportError:
        return False
