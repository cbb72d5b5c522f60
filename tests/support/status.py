"""What a service's status server says: metrics and readiness."""

import asyncio

from service_kit.addresses import HostPort

DEADLINE_S = 20.0


async def page(where: HostPort, path: str) -> tuple[int, str]:
    """Status code and body."""
    async with asyncio.timeout(DEADLINE_S):
        reader, writer = await asyncio.open_connection(where.host, where.port)
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {where}\r\n\r\n".encode())
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        finally:
            writer.close()
            await writer.wait_closed()
    return int(head.split(b" ")[1]), body.decode()


async def metric(where: HostPort, name: str) -> float:
    """The value of one line of /metrics; ``name`` with its labels, as they are written there."""
    _, body = await page(where, "/metrics")
    for line in body.splitlines():
        if line.startswith(f"{name} "):
            return float(line.rpartition(" ")[2])
    raise KeyError(f"{name} is not among the metrics of {where}")
