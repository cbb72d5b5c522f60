"""ScanService on the wire: what comes in becomes a case for the panel, its verdict goes out.

Engine trouble and content beyond the limit are verdicts. RPC errors are these and no others:
INVALID_ARGUMENT (the contract is broken, or the profile unknown), RESOURCE_EXHAUSTED (try
another replica), DEADLINE_EXCEEDED (the content did not arrive in time). A caller who goes away
cancels the scan.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import grpc
import grpc.aio

from scanner.admission import Admission, Overloaded
from scanner.core.content import Content
from scanner.core.scan_profile import ScanProfile, ScanProfiles, UnknownProfile
from scanner.incoming import receive
from scanner.panel import Panel
from scanner.ports import ScanContext
from scanner.scan_log import record
from service_kit.escaping import text_for_log
from smtpgated.common.v1 import mail_pb2
from smtpgated.scan.v1 import scan_pb2, scan_pb2_grpc
from smtpgated_contracts.marshalling.errors import MalformedMessage
from smtpgated_contracts.marshalling.mail import envelope_from_wire, session_from_wire
from smtpgated_contracts.marshalling.scan import engine_class_from_wire, verdict_to_wire
from smtpgated_contracts.values.scan import EngineClass

NAME: Final = scan_pb2.DESCRIPTOR.services_by_name["ScanService"].full_name

# Of the caller's remaining time, so that the verdict is on its way back when it runs out:
# an answer that comes too late is worth less than "unscanned" in time.
_MARGIN_S: Final = 0.25

# Under load. What this leaves unjudged the edge's stance for spam releases, unless told otherwise;
# one for viruses would defer the message.
_SPARED_FIRST: Final = frozenset({EngineClass.SPAM})

Context = grpc.aio.ServicerContext[Any, Any]


@dataclass(frozen=True, slots=True)
class ScanLimits:
    """Of one scan: seconds to judge the content, and for it to arrive."""

    scan_deadline_s: float
    receive_deadline_s: float


class ScanService(scan_pb2_grpc.ScanServiceServicer):
    def __init__(
        self, panel: Panel, profiles: ScanProfiles, admission: Admission, limits: ScanLimits
    ) -> None:
        self._panel = panel
        self._profiles = profiles
        self._admission = admission
        self._limits = limits
        self._most_octets = profiles.most_octets
        self._clock = asyncio.get_running_loop().time

    async def Scan(  # noqa: N802 - the contract's name
        self, request: scan_pb2.ScanRequest, context: Context
    ) -> scan_pb2.Verdict:
        try:
            with self._admission.admit() as place:
                profile = self._profile(request.opening)
                case, skip = _case(request.opening, profile, request.envelope, request.head_only)
                content = Content.of(request.content)
                if content.size_octets > profile.content_octets:
                    return self._too_large(case, skip)
                place.hold(content.size_octets)
                return await self._judged(content, case, skip, context)
        except (MalformedMessage, UnknownProfile, Overloaded) as refused:
            await _refuse(refused, context)

    async def ScanStream(  # noqa: N802 - the contract's name
        self, request_iterator: AsyncIterator[scan_pb2.ScanPart], context: Context
    ) -> scan_pb2.Verdict:
        try:
            with self._admission.admit_stream() as place:
                async with asyncio.timeout(self._limits.receive_deadline_s):
                    came = await receive(request_iterator, place, self._most_octets)
                profile = self._profile(came.opening)
                closing = came.closing or scan_pb2.ScanClosing()
                case, skip = _case(came.opening, profile, closing.envelope, closing.head_only)
                if came.content is None or came.content.size_octets > profile.content_octets:
                    return self._too_large(case, skip)
                return await self._judged(came.content, case, skip, context)
        except (MalformedMessage, UnknownProfile, Overloaded, TimeoutError) as refused:
            await _refuse(refused, context)

    async def _judged(
        self, content: Content, case: ScanContext, skip: frozenset[EngineClass], context: Context
    ) -> scan_pb2.Verdict:
        left_s = context.time_remaining()
        allowed_s = self._limits.scan_deadline_s
        if left_s is not None:
            allowed_s = min(allowed_s, left_s - _MARGIN_S)
        spare = _SPARED_FIRST if self._admission.crowded else frozenset()
        verdict = await self._panel.judge(content, case, skip, self._clock() + allowed_s, spare)
        record(verdict, case, content.size_octets)
        return verdict_to_wire(verdict)

    def _profile(self, opening: scan_pb2.ScanOpening) -> ScanProfile:
        """Raises UnknownProfile."""
        try:
            return self._profiles.named(opening.profile)
        except UnknownProfile as unknown:
            asked_for = text_for_log(opening.profile)
            raise UnknownProfile(f"profile {asked_for} is not known; {unknown}") from None

    def _too_large(self, case: ScanContext, skip: frozenset[EngineClass]) -> scan_pb2.Verdict:
        limit = case.profile.content_octets
        reason = f"scanner: content of more than {limit} octets"
        verdict = self._panel.unjudged(reason, case.profile, skip)
        record(verdict, case, limit)
        return verdict_to_wire(verdict)


def _case(
    opening: scan_pb2.ScanOpening,
    profile: ScanProfile,
    envelope: mail_pb2.Envelope,
    head_only: bool,  # noqa: FBT001 - the field of that name
) -> tuple[ScanContext, frozenset[EngineClass]]:
    """Whose content, and the classes not to ask for. Raises MalformedMessage."""
    case = ScanContext(
        session_from_wire(opening.session),
        opening.transaction,
        envelope_from_wire(envelope),
        profile,
        head_only,
    )
    return case, frozenset(map(engine_class_from_wire, opening.skip))


_CODES: Final = {
    MalformedMessage: grpc.StatusCode.INVALID_ARGUMENT,
    UnknownProfile: grpc.StatusCode.INVALID_ARGUMENT,
    Overloaded: grpc.StatusCode.RESOURCE_EXHAUSTED,
    TimeoutError: grpc.StatusCode.DEADLINE_EXCEEDED,
}


async def _refuse(
    why: MalformedMessage | UnknownProfile | Overloaded | TimeoutError, context: Context
) -> NoReturn:
    await context.abort(_CODES[type(why)], str(why) or "the content did not arrive in time")
    raise AssertionError("abort does not return")
