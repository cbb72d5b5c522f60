"""/api/v1/simulate: what would become of a session, by these rules or by others, and why."""

import asyncio
from typing import Final

from fastapi import APIRouter

from policy.admin.auth import Caller, Viewer
from policy.admin.context import AdminContext, Here
from policy.admin.peeking import peek
from policy.admin.problems import Problem
from policy.admin.routes_rulebook import asked_for
from policy.admin.views import LockView
from policy.admin.views_simulation import (
    EndView,
    PhaseRateView,
    PhaseView,
    RateView,
    SessionDescribed,
    SimulationView,
    WantedSimulation,
)
from policy.core.decide import identified, own_limits, share_left
from policy.core.simulation import (
    Described,
    End,
    Ground,
    conclude,
    full_at,
    occasions,
    rules_asked,
)
from policy.core.spending import OF_EVERYBODY, purchase
from policy.core.subjects import SubjectError, normal_address
from rulebook.rules import Action
from rulebook.values import Phase
from smtpgated_contracts.values.mail import EdgeId, Endpoint, Envelope, SessionId, SessionRef
from smtpgated_contracts.values.policy import DecisionKind, Lock, Stage

PATH: Final = "/api/v1/simulate"
LARGEST_BODY_OCTETS: Final = 8 * 1024 * 1024
"""A rulebook inside of JSON needs more octets than by itself."""

router = APIRouter(prefix=PATH, tags=["simulation"])

_SESSION: Final = SessionId("simulated")
_EDGE: Final = EdgeId("simulated")
_SOURCE_PORT: Final = 40000
_KINDS: Final = {Action.DEFER: DecisionKind.DEFER, Action.REFUSE: DecisionKind.REFUSE}


@router.post("", summary="What would become of a session, and every rule that was considered")
async def simulate(by: Viewer, here: Here, wanted: WantedSimulation) -> SimulationView:
    described = _described(by, here, wanted.session)
    if by.tenancy.networks and wanted.version is not None and not _in_force(here, wanted.version):
        raise Problem(403, "old rulebooks are for tokens that are not limited to networks")
    version, book = await asked_for(here, wanted.version, wanted.document)
    asked = await asyncio.to_thread(rules_asked, book, described)
    session, now_ms = described.session, here.clock.unix_ms()
    source = (session.source.address, session.identity)
    exempt = here.farm.exemptions.cover_source(*source) or book.exempt.covers(source[0])
    stages = [] if exempt else _stages(here, *source, now_ms)
    share = share_left(here.farm, session, described.envelope.auth_user, now_ms)
    own = own_limits(here.farm, session, described.envelope.auth_user, now_ms)
    bought = [
        (phase, found)
        for phase, occasion in occasions(described, asked, exempt=exempt, share=share, own=own)
        if (found := purchase(book, occasion)) is not None
    ]
    peeked = await peek(here, [each for _, each in bought])
    rates: list[PhaseRateView] = []
    limits: dict[Phase, End] = {}
    for at, (phase, found) in enumerate(bought):
        counts = found.spend.counts
        used = peeked[at] if peeked is not None else (0,) * len(counts)
        full = full_at(found, used)
        for place, count in enumerate(counts):
            if by.tenancy.networks and found.rates[place].per in OF_EVERYBODY:
                continue  # what others spend is not his to see
            view = RateView.of(found, place, used[place])
            rates.append(
                PhaseRateView(
                    **view.model_dump(), phase=phase, costs=count.cost, full=place in full
                )
            )
        over = next((found.rates[place] for place in full if counts[place].is_enforced), None)
        if over is not None:
            limits[phase] = End(_KINDS[over.action], Ground.LIMIT, phase, over.id, over.reply)
    return SimulationView(
        rulebook_version=version,
        identity=session.identity,
        exempt=exempt,
        locks=[LockView.of(lock) for lock, _ in stages],
        phases=[PhaseView.of(each) for each in asked],
        rates=rates,
        rates_known=peeked is not None,
        decision=EndView.of(conclude(described, stages, asked, limits)),
    )


def _in_force(here: AdminContext, version: int) -> bool:
    return here.farm.stored is not None and here.farm.stored.version == version


def _described(by: Caller, here: AdminContext, given: SessionDescribed) -> Described:
    source = _address("source", given.source)
    by.must_cover(f"address:{source}")
    session = SessionRef(
        _SESSION,
        _EDGE,
        Endpoint(source, _SOURCE_PORT),
        Endpoint(_address("destination", given.destination), given.destination_port),
        given.identity,
    )
    envelope = Envelope(
        given.helo.encode(),
        given.reverse_path.encode(),
        tuple(each.encode() for each in given.recipients),
        given.authenticated,
        given.auth_user.encode(),
    )
    return Described(
        identified(here.farm, session, here.clock.unix_ms()),
        envelope,
        given.auth_offered,
        given.spf,
        frozenset(given.dnsbl),
        given.load,
        given.size_octets,
        given.verdict,
        given.score,
        tuple(given.found),
        tuple(given.profiles),
    )


def _stages(
    here: AdminContext, address: str, identity: str, now_ms: int
) -> list[tuple[Lock, Stage]]:
    locks = here.farm.locks.on(address, identity, now_ms)
    return [(lock, stage) for lock in locks if (stage := lock.stage_at(now_ms)) is not None]


def _address(where: str, text: str) -> str:
    try:
        return normal_address(text)
    except SubjectError as error:
        raise Problem(422, f"{where}: {error}") from None
