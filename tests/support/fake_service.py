"""A gRPC service that plays: on a free port, may stop abruptly, and may send what is no message."""

from collections.abc import Mapping
from typing import Any, Final, Self

import grpc
import grpc.aio
from google.protobuf.message import Message

from service_kit.addresses import HostPort
from service_kit.grpc_server import RunningServer, start_server
from service_kit.health import Readiness
from service_kit.tls import TlsSettings

NONSENSE: Final = b"\xff\xff\xff\xff no message of anybody's"


def octets_of(reply: Message | bytes) -> bytes:
    """Octets travel as they are: so a fake can say what does not parse."""
    return reply if isinstance(reply, bytes) else reply.SerializeToString()


class FakeService:
    """One service of the contracts; subclasses say its name and its methods."""

    name: str

    def __init__(self, tls: TlsSettings | None = None) -> None:
        self._tls: Final = tls
        self._server: RunningServer | None = None
        self.port = 0

    def methods(self) -> Mapping[str, "grpc.RpcMethodHandler[Any, Any]"]:
        raise NotImplementedError

    @property
    def target(self) -> str:
        """What an edge is told to reach it."""
        return f"127.0.0.1:{self.port}"

    @property
    def address(self) -> HostPort:
        return HostPort("127.0.0.1", self.port)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen: the first time on a free port, later on the same one."""
        self._server = await start_server(
            self.address, self._tls, Readiness(), {self.name: self._register}
        )
        self.port = self._server.port

    async def stop(self) -> None:
        """Cut every call and close the port."""
        if self._server is not None:
            server, self._server = self._server, None
            await server.stop(0)

    def _register(self, server: grpc.aio.Server) -> None:
        generic = grpc.method_handlers_generic_handler(self.name, dict(self.methods()))
        server.add_generic_rpc_handlers((generic,))
