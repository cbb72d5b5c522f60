"""Whether this process can do its work now, part by part, and why not.

A part is what readiness depends on ("policy", "rulebook", "clamd"); the process is ready when
every part is. A *remark* is beside that: what should be mended, and is no reason to stay away.
Liveness is another question: a process that answers at all is alive, and one whose scanner is
away must not be restarted for it.

``HealthService`` says it in gRPC's own protocol (grpc.health.v1), for the process ("") and
for each service it offers; ``metrics.serve_http`` says it at /readyz.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

_NOT_SEEN_YET: Final = "not seen yet"
_STOPPING: Final = "process"
_SERVING: Final = health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVING)
_NOT_SERVING: Final = health_pb2.HealthCheckResponse(
    status=health_pb2.HealthCheckResponse.NOT_SERVING
)
_UNKNOWN: Final = health_pb2.HealthCheckResponse(
    status=health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
)


class Readiness:
    """Parts named at construction are awaited: not ready until they are set."""

    __slots__ = ("_changed", "_missing", "_remarks")

    def __init__(self, *awaited: str) -> None:
        self._missing: dict[str, str] = dict.fromkeys(awaited, _NOT_SEEN_YET)
        self._remarks: dict[str, str] = {}
        self._changed = asyncio.Event()

    def set(self, name: str, ready: bool, why: str = "") -> None:  # noqa: FBT001 - reads as said
        """State of one part; ``why`` is for people, when it is not ready."""
        was = self._missing.get(name)
        if ready:
            self._missing.pop(name, None)
        else:
            self._missing[name] = why or "not ready"
        if self._missing.get(name) != was:
            self._changed.set()
            self._changed = asyncio.Event()

    def remark(self, name: str, text: str) -> None:
        """What people should know of one part while it is ready; empty: nothing any more."""
        if text:
            self._remarks[name] = text
        else:
            self._remarks.pop(name, None)

    @property
    def remarks(self) -> Mapping[str, str]:
        """Parts that something is remarked of, each with it."""
        return dict(self._remarks)

    @property
    def ready(self) -> bool:
        return not self._missing

    @property
    def reasons(self) -> Mapping[str, str]:
        """Parts that are not ready, each with its why."""
        return dict(self._missing)

    async def wait_change(self) -> None:
        """Returns at the next change. Read the state, then wait: no await in between."""
        await self._changed.wait()

    async def wait_ready(self) -> None:
        """Returns when every part is ready."""
        while not self.ready:
            await self.wait_change()


class HealthService(health_pb2_grpc.HealthServicer):
    """grpc.health.v1 over a Readiness. Own, because the library's copy of the state would
    have to be kept in step by tasks, and its watchers hold up a graceful stop."""

    def __init__(self, readiness: Readiness, services: Iterable[str]) -> None:
        self._readiness = readiness
        self._names = frozenset({"", *services})
        self._closed = False

    def close(self) -> None:
        """From now on NOT_SERVING; watchers are told so and end."""
        self._closed = True
        self._readiness.set(_STOPPING, ready=False, why="the process is stopping")

    async def Check(  # noqa: N802 - the contract's name
        self,
        request: health_pb2.HealthCheckRequest,
        context: "grpc.aio.ServicerContext[Any, Any]",
    ) -> health_pb2.HealthCheckResponse:
        if request.service not in self._names:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such service here")
        return self._state()

    async def Watch(  # noqa: N802 - the contract's name
        self,
        request: health_pb2.HealthCheckRequest,
        _context: "grpc.aio.ServicerContext[Any, Any]",
    ) -> AsyncIterator[health_pb2.HealthCheckResponse]:
        known = request.service in self._names
        said = None
        while True:
            state = self._state() if known else _UNKNOWN
            if state is not said:
                said = state
                yield state
                continue  # it may have changed while it was being written
            if self._closed:
                return
            await self._readiness.wait_change()

    def _state(self) -> health_pb2.HealthCheckResponse:
        return _SERVING if self._readiness.ready and not self._closed else _NOT_SERVING
