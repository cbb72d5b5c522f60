"""Bounds on what comes in: how much is kept of whom."""

from typing import Any

import pytest

from policy.admin.guards import MOST_BODY_OCTETS, BoundedBody

LARGE = 1024 * 1024
LONG = "/long"


async def status_of(path: str, parts: list[bytes], *headers: tuple[bytes, bytes]) -> int:
    """What a request is answered with; the application behind the guard answers 200."""
    coming = [
        {"type": "http.request", "body": part, "more_body": at < len(parts) - 1}
        for at, part in enumerate(parts)
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return coming.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    async def application(_scope: Any, receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        assert body == b"".join(parts)
        await send({"type": "http.response.start", "status": 200, "headers": []})

    guard = BoundedBody(application, {LONG: LARGE}, lambda token: token == "right")
    scope = {"type": "http", "path": path, "headers": list(headers)}
    await guard(scope, receive, send)
    status: int = sent[0]["status"]
    return status


OURS = (b"authorization", b"Bearer right")
WRONG = (b"authorization", b"Bearer wrong")


@pytest.mark.parametrize(
    ("path", "size", "headers", "status"),
    [
        ("/", MOST_BODY_OCTETS, (), 200),
        ("/", MOST_BODY_OCTETS + 1, (OURS,), 413),
        (LONG, MOST_BODY_OCTETS, (), 200),
        (LONG, MOST_BODY_OCTETS + 1, (), 413),
        (LONG, MOST_BODY_OCTETS + 1, (WRONG,), 413),
        (LONG, MOST_BODY_OCTETS + 1, (OURS,), 200),
        (LONG, LARGE, (OURS,), 200),
        (LONG, LARGE + 1, (OURS,), 413),
        (f"{LONG}/er", LARGE, (OURS,), 413),
    ],
)
async def test_a_body_has_the_bound_of_its_path_and_of_who_sends_it(
    path: str, size: int, headers: tuple[tuple[bytes, bytes], ...], status: int
) -> None:
    announced = (b"content-length", str(size).encode())
    assert await status_of(path, [b"x" * size], announced, *headers) == status
    half = [b"x" * (size // 2), b"x" * (size - size // 2)]
    assert await status_of(path, half, *headers) == status
