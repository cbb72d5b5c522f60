"""Builds an edge worker from its settings, runs it, and drains it."""

import logging
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Final

from edge_proxy.acceptor import Acceptor
from edge_proxy.address_privacy import AddressPrivacy
from edge_proxy.clients.farm_state import FarmState, RulebookWatch
from edge_proxy.clients.outcome_report import OutcomeReport
from edge_proxy.clients.policy_client import PolicyClient
from edge_proxy.clients.scan_client import ScanClient
from edge_proxy.config import EdgeSettings
from edge_proxy.core_settings import core_settings
from edge_proxy.drain import drain, tell_the_rest
from edge_proxy.events.script import EventScript, NoScript
from edge_proxy.handover.entrance import Entrance
from edge_proxy.handover.succession import succession
from edge_proxy.interception.choose import choose_interception
from edge_proxy.journal import Reporting
from edge_proxy.links.link import Link
from edge_proxy.links.listener import address_of, listen
from edge_proxy.links.open_links import OpenLinks
from edge_proxy.links.transparent import open_to_every_address, try_out
from edge_proxy.links.tunnel import TunnelLimits
from edge_proxy.load import Load
from edge_proxy.local_limits import LocalPolicy
from edge_proxy.local_rates import LocalRates
from edge_proxy.open_files import allow
from edge_proxy.ports import RunningSession
from edge_proxy.registry import Registry
from edge_proxy.surroundings import Surroundings
from edge_proxy.trace import render_trace_header
from edge_proxy.under_supervisor import UnderSupervisor, worker_number
from edge_proxy.workers import supervise
from rulebook.defaults import DEFAULT_DOCUMENT
from rulebook.document import parse
from service_kit.clock import SYSTEM_CLOCK
from service_kit.collection import put_start_aside
from service_kit.grpc_channels import open_channel
from service_kit.health import Readiness
from service_kit.lifecycle import Lifecycle
from service_kit.logs import event
from service_kit.metrics import serve_http
from service_kit.tasks import Tasks
from smtpgated_contracts.values.mail import EdgeId, SessionRef

_LOG: Final = logging.getLogger(__name__)
RULEBOOK_MESSAGE_OCTETS: Final = 16 * 1024 * 1024
"""A rulebook may be 4 MiB (``rulebook.document``); it travels in one message."""


async def run(settings: EdgeSettings) -> None:
    """Serve until SIGTERM. Raises StartError: an address is taken, a file of [tls] is wrong."""
    lifecycle = Lifecycle(settings.drain_deadline_s)
    if settings.workers > 1 and worker_number() is None:
        await supervise(settings, lifecycle)
    else:
        await _work(settings, lifecycle)


async def _work(settings: EdgeSettings, lifecycle: Lifecycle) -> None:
    """One process that accepts sessions: the only one, or a worker."""
    put_start_aside()
    async with _entrance(settings, lifecycle) as entrance:
        await _serve(settings, lifecycle, entrance)


@asynccontextmanager
async def _entrance(settings: EdgeSettings, lifecycle: Lifecycle) -> AsyncIterator[Entrance]:
    if worker_number() is None:
        async with succession(settings, lifecycle) as place:
            yield place
    else:
        async with Tasks() as tasks:
            yield UnderSupervisor(settings, lifecycle, tasks)


async def _serve(settings: EdgeSettings, lifecycle: Lifecycle, entrance: Entrance) -> None:
    number = worker_number()
    edge_id = EdgeId(settings.edge_id if number is None else f"{settings.edge_id}/{number}")
    readiness = Readiness("rulebook")
    registry: Registry[RunningSession] = Registry()
    open_links = OpenLinks()
    state = FarmState(SYSTEM_CLOCK, lambda subjects: _locks_changed(registry, subjects))
    load = Load(settings.limits, SYSTEM_CLOCK, lambda: _load_changed(registry))
    without_policy = parse(DEFAULT_DOCUMENT) if settings.policy.stance == "open" else None

    going_out = settings.destination
    if going_out.transparent:
        open_to_every_address(entrance.sessions)
    try_out(transparent=going_out.transparent, mark=going_out.outgoing_mark)
    allow(settings.limits.sessions)
    privacy = AddressPrivacy.of(settings.log)
    policy_channel = open_channel(
        settings.policy.target, settings.tls, RULEBOOK_MESSAGE_OCTETS, settings.policy.peer_name
    )
    scanner_channel = open_channel(
        settings.scanner.target, settings.tls, peer_name=settings.scanner.peer_name
    )
    async with Tasks() as tasks:
        outcomes = OutcomeReport(policy_channel, edge_id)
        rates = LocalRates(SYSTEM_CLOCK.monotonic_s)
        local = LocalPolicy(state, without_policy, registry, rates)
        policy = PolicyClient(
            policy_channel,
            tasks,
            edge_id,
            settings.policy.patience_ms / 1000,
            local.decide,
        )
        events = _events(settings)
        scanner = ScanClient(
            scanner_channel,
            tasks,
            inline_octets=settings.scanner.inline_octets,
            deadline_s=settings.scanner.deadline_s,
        )
        surroundings = Surroundings(
            core=core_settings(settings),
            trace=_trace_header(settings),
            content_total_s=settings.smtp.content_total_s,
            connect_timeout_s=settings.destination.connect_timeout_s,
            policy=policy,
            scanner=scanner,
            reporting=Reporting(SYSTEM_CLOCK, outcomes, events, privacy, registry.count),
            locks=state,
            load=load,
            registry=registry,
            open_links=open_links,
            tunnel_limits=TunnelLimits(
                require_tls=settings.tunnel.require_tls,
                duration_s=settings.tunnel.duration_s,
                octets=settings.tunnel.octets,
            ),
            tasks=tasks,
        )
        acceptor = Acceptor(
            surroundings,
            state,
            choose_interception(
                settings.destination, [address_of(each) for each in entrance.sessions]
            ),
            settings.destination,
            edge_id,
            settings.limits.sessions,
            without_policy,
            load,
            SYSTEM_CLOCK,
        )
        watch = RulebookWatch(policy_channel, edge_id, state, readiness)
        tasks.spawn(watch.run(), name="policy watch")
        tasks.spawn(outcomes.run(), name="outcome report")
        tasks.spawn(load.run(), name="load")
        policy.start()
        if await entrance.open(readiness):
            await _accept(settings, entrance, acceptor, open_links, readiness, lifecycle)
            await drain(registry, acceptor, open_links, lifecycle, settings.drain_patience_s)
        await events.drain(lifecycle.drain_remaining_s())
        await tell_the_rest(outcomes, policy)
    await policy_channel.close()
    await scanner_channel.close()


def _trace_header(settings: EdgeSettings) -> Callable[[SessionRef], bytes]:
    return lambda session: render_trace_header(
        session,
        style=settings.trace.style,
        header=settings.trace.header,
        name=settings.replies.name or settings.edge_id,
        abuse=settings.trace.abuse,
        started_unix_s=SYSTEM_CLOCK.unix_ms() // 1000,
    )


def _events(settings: EdgeSettings) -> EventScript | NoScript:
    script, listen = settings.events.script, settings.listen.addresses[0]
    if script is None:
        return NoScript()
    return EventScript(script, settings.events, settings.replies.name, (listen.host, listen.port))


def _load_changed(registry: Registry[RunningSession]) -> None:
    for session in registry:
        session.load_changed()


def _locks_changed(registry: Registry[RunningSession], subjects: Iterable[str]) -> None:
    for session in registry.of(subjects):
        session.lock_changed()


async def _accept(
    settings: EdgeSettings,
    entrance: Entrance,
    acceptor: Acceptor,
    open_links: OpenLinks,
    readiness: Readiness,
    lifecycle: Lifecycle,
) -> None:
    """Take sessions until the drain begins."""
    status = await serve_http(entrance.status, readiness) if entrance.status else None
    servers = await listen(
        entrance.sessions, settings.listen.backlog, lambda: Link(acceptor.owner_of, open_links)
    )
    event(
        _LOG,
        logging.INFO,
        "listening",
        at=[str(address_of(each)) for each in entrance.sessions],
        status_port=status.port if status is not None else None,
    )
    entrance.accepting()
    await lifecycle.wait_drain()
    for server in servers:
        server.close()
    await entrance.leave()
    if status is not None:
        await status.aclose()
