"""Bounds on what comes in and headers on what goes out, before any route is asked."""

from collections.abc import Callable, Mapping
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from policy.admin.problems import problem

MOST_BODY_OCTETS: Final = 64 * 1024

# Of a body that is too large: who is cut while he sends never reads why.
_MOST_DISCARDED_OCTETS: Final = 16 * 1024 * 1024

# No origin but our own, and no inline script: what a stranger wrote into his HELO must stay
# text on the status page. Swagger UI styles its elements inline, scripts never.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class SafeHeaders:
    """Puts the headers above on every answer; Cache-Control only where the route says nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class BoundedBody:
    """413 for a body above MOST_BODY_OCTETS, announced or not.

    ``larger`` are the paths with another bound. It holds for those alone who show a token that
    ``know`` knows: a stranger must not make us keep much.
    """

    def __init__(
        self, app: ASGIApp, larger: Mapping[str, int], know: Callable[[str], bool]
    ) -> None:
        self._app = app
        self._larger = larger
        self._know = know

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        most = self._most(scope["path"], headers.get("authorization", ""))
        announced = headers.get("content-length", "0")
        length = int(announced) if announced.isdecimal() else 0
        too_large = length > most
        body = bytearray()
        read, more = 0, length <= most + _MOST_DISCARDED_OCTETS
        while more and read <= most + _MOST_DISCARDED_OCTETS:
            message = await receive()
            if message["type"] != "http.request":
                return  # gone before he had finished
            part = message.get("body", b"")
            more = message.get("more_body", False)
            read += len(part)
            too_large = too_large or read > most
            if too_large:
                body.clear()
            else:
                body += part
        if too_large:
            answer = problem(413, f"a body has at most {most} octets")
            answer.headers["Connection"] = "close"
            await answer(scope, receive, send)
            return
        await self._app(scope, _once(bytes(body), receive), send)

    def _most(self, path: str, authorization: str) -> int:
        larger = self._larger.get(path)
        token = authorization.partition(" ")[2].strip()
        return MOST_BODY_OCTETS if larger is None or not self._know(token) else larger


def _once(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
