"""Load and latency: smtp-source for throughput, an own client for the time at the dot."""

import asyncio
import subprocess
import time
from typing import Final

from service_kit.addresses import HostPort

MESSAGE_OCTETS: Final = 5000
_BODY: Final = (b"x" * 70 + b"\r\n") * (MESSAGE_OCTETS // 72)


def throughput(target: HostPort, sessions: int, messages: int) -> float:
    """Messages a second; every message is a session of its own."""
    began = time.perf_counter()
    subprocess.run(
        [
            "smtp-source", "-s", str(sessions), "-m", str(messages), "-l", str(MESSAGE_OCTETS),
            "-f", "sender@example.org", "-t", "recipient@example.net", str(target),
        ],
        check=True,
        timeout=300,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return messages / (time.perf_counter() - began)


def latencies_ms(target: HostPort, sessions: int, messages: int) -> list[float]:
    """Milliseconds between the lone dot and its answer, of every message."""
    return asyncio.run(_all_sessions(target, sessions, messages))


async def _all_sessions(target: HostPort, sessions: int, messages: int) -> list[float]:
    each = max(1, messages // sessions)
    runs = await asyncio.gather(*(_one_session(target, each) for _ in range(sessions)))
    return [one for run in runs for one in run]


async def _one_session(target: HostPort, messages: int) -> list[float]:
    reader, writer = await asyncio.open_connection(target.host, target.port)

    async def expect(code: bytes) -> None:
        while (line := await reader.readline())[3:4] == b"-":
            pass
        if not line.startswith(code):
            raise RuntimeError(f"expected {code!r}, got {line!r}")

    spent = []
    await expect(b"220")
    writer.write(b"EHLO bench.example\r\n")
    await expect(b"250")
    for _ in range(messages):
        for command, code in (
            (b"MAIL FROM:<sender@example.org>\r\n", b"250"),
            (b"RCPT TO:<recipient@example.net>\r\n", b"250"),
            (b"DATA\r\n", b"354"),
        ):
            writer.write(command)
            await expect(code)
        writer.write(b"Subject: bench\r\n\r\n" + _BODY)
        await writer.drain()
        began = time.perf_counter()
        writer.write(b".\r\n")
        await expect(b"250")
        spent.append((time.perf_counter() - began) * 1000)
    writer.write(b"QUIT\r\n")
    await expect(b"221")
    writer.close()
    await writer.wait_closed()
    return spent
