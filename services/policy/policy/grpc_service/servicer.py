"""The contract's three calls. Nothing is answered before the farm was loaded once."""

from collections.abc import AsyncIterator
from typing import Any, Final

import grpc
import grpc.aio

from policy.core.farm import Farm
from policy.grpc_service.answering import Answering
from policy.grpc_service.reporting import Reporting
from policy.grpc_service.watching import WatchEnd, Watchers
from policy.replica.contacts import EdgeContacts
from smtpgated.policy.v1 import policy_pb2, policy_pb2_grpc

SERVICE_NAME: Final = policy_pb2.DESCRIPTOR.services_by_name["PolicyService"].full_name
_RECEIPT: Final = policy_pb2.ReportReceipt()


class PolicyServicer(policy_pb2_grpc.PolicyServiceServicer):
    def __init__(
        self,
        farm: Farm,
        watchers: Watchers,
        answering: Answering,
        reporting: Reporting,
        contacts: EdgeContacts,
    ) -> None:
        self._farm = farm
        self._watchers = watchers
        self._answering = answering
        self._reporting = reporting
        self._contacts = contacts

    def drain(self) -> None:
        """End every stream in good order, so that edges go to another replica."""
        self._watchers.drain()
        self._answering.drain()

    async def Watch(  # noqa: N802 - the contract's name
        self,
        request: policy_pb2.WatchRequest,
        context: "grpc.aio.ServicerContext[Any, Any]",
    ) -> AsyncIterator[policy_pb2.WatchUpdate]:
        await self._only_when_loaded(context)
        self._contacts.heard_of(request.edge_id)
        with self._watchers.joined(request.edge_id) as watcher:
            while True:
                following = await watcher.next()
                if following is WatchEnd.DRAIN:
                    return
                if following is WatchEnd.OVERRUN:
                    await context.abort(
                        grpc.StatusCode.RESOURCE_EXHAUSTED,
                        "changes came faster than they were read: watch again for a snapshot",
                    )
                for update in following:
                    yield update

    async def Decide(  # type: ignore[override]  # noqa: N802 - grpc.aio also takes a coroutine that writes
        self,
        request_iterator: Any,
        context: "grpc.aio.ServicerContext[Any, Any]",
    ) -> None:
        await self._only_when_loaded(context)
        await self._answering.serve(request_iterator, context)

    async def Report(  # noqa: N802 - the contract's name
        self,
        request: policy_pb2.OutcomeBatch,
        context: "grpc.aio.ServicerContext[Any, Any]",
    ) -> policy_pb2.ReportReceipt:
        await self._only_when_loaded(context)
        self._contacts.heard_of(request.edge_id)
        await self._reporting.take(request)
        return _RECEIPT

    async def _only_when_loaded(self, context: "grpc.aio.ServicerContext[Any, Any]") -> None:
        if self._farm.stored is None:
            await context.abort(
                grpc.StatusCode.UNAVAILABLE, "no rulebook yet: the store was not reached"
            )
