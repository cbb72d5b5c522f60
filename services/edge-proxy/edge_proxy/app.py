"""Builds an edge worker from its settings, runs it, and drains it."""

import logging
from collections.abc import Iterable
from typing import Final

from edge_proxy.acceptor import Acceptor
from edge_proxy.clients.farm_state import FarmState, RulebookWatch
from edge_proxy.clients.outcome_report import OutcomeReport
from edge_proxy.clients.policy_client import PolicyClient
from edge_proxy.clients.scan_client import ScanClient
from edge_proxy.conductor import Conductor, Surroundings
from edge_proxy.config import EdgeSettings
from edge_proxy.drain import drain, tell_the_rest
from edge_proxy.interception.choose import choose_interception
from edge_proxy.links.link import Link
from edge_proxy.links.listener import address_of, bind, listen
from edge_proxy.links.open_links import OpenLinks
from edge_proxy.local_limits import decide_locally
from edge_proxy.open_files import allow
from edge_proxy.registry import Registry
from edge_proxy.relay.phases import PATIENCE, Phase
from edge_proxy.relay.settings import CoreSettings
from edge_proxy.workers import (
    drain_with_supervisor,
    supervise,
    tell_supervisor,
    worker_number,
)
from rulebook.defaults import DEFAULT_DOCUMENT
from rulebook.document import parse
from service_kit.clock import SYSTEM_CLOCK
from service_kit.grpc_channels import open_channel
from service_kit.health import Readiness
from service_kit.lifecycle import Lifecycle
from service_kit.logs import event
from service_kit.metrics import StatusServer, serve_http
from service_kit.tasks import Tasks
from smtpgated_contracts.values.mail import EdgeId

_LOG: Final = logging.getLogger(__name__)
RULEBOOK_MESSAGE_OCTETS: Final = 16 * 1024 * 1024
"""A rulebook may be 10 MiB (``rulebook.document``); it travels in one message."""
_BEYOND_SCAN_S: Final = 30.0


async def run(settings: EdgeSettings) -> None:
    """Serve until SIGTERM. Raises StartError: an address is taken, a file of [tls] is wrong."""
    lifecycle = Lifecycle(settings.drain_deadline_s)
    if settings.workers > 1 and worker_number() is None:
        await supervise(settings, lifecycle)
    else:
        await _work(settings, lifecycle)


async def _work(settings: EdgeSettings, lifecycle: Lifecycle) -> None:
    number = worker_number()
    edge_id = EdgeId(settings.edge_id if number is None else f"{settings.edge_id}/{number}")
    readiness = Readiness("rulebook")
    registry: Registry[Conductor] = Registry()
    open_links = OpenLinks()
    state = FarmState(SYSTEM_CLOCK, lambda subjects: _locks_changed(registry, subjects))
    without_policy = parse(DEFAULT_DOCUMENT) if settings.policy.stance == "open" else None

    sockets = [
        bind(address, settings.listen.backlog, shared=number is not None)
        for address in settings.listen.addresses
    ]
    allow(settings.limits.sessions)
    policy_channel = open_channel(settings.policy.target, settings.tls, RULEBOOK_MESSAGE_OCTETS)
    scanner_channel = open_channel(settings.scanner.target, settings.tls)
    async with Tasks() as tasks:
        outcomes = OutcomeReport(policy_channel, edge_id)
        policy = PolicyClient(
            policy_channel,
            tasks,
            edge_id,
            settings.policy.patience_ms / 1000,
            lambda session: decide_locally(
                state.rulebook or without_policy,
                registry,
                session,
                exempt=state.is_exempt(session),
            ),
        )
        scanner = ScanClient(
            scanner_channel,
            tasks,
            inline_octets=settings.scanner.inline_octets,
            deadline_s=settings.scanner.deadline_s,
        )
        surroundings = Surroundings(
            core=_core_settings(settings),
            connect_timeout_s=settings.destination.connect_timeout_s,
            policy=policy,
            scanner=scanner,
            outcomes=outcomes,
            locks=state,
            registry=registry,
            open_links=open_links,
            tasks=tasks,
            clock=SYSTEM_CLOCK,
        )
        acceptor = Acceptor(
            surroundings,
            state,
            choose_interception(settings.destination),
            settings.destination,
            edge_id,
            settings.limits.sessions,
            without_policy,
        )
        watch = RulebookWatch(policy_channel, edge_id, state, readiness)
        tasks.spawn(watch.run(), name="policy watch")
        tasks.spawn(outcomes.run(), name="outcome report")
        policy.start()
        if number is not None:
            drain_with_supervisor(lifecycle)
            tasks.spawn(tell_supervisor(readiness), name="supervisor")
        status = await _serve_status(settings, number, readiness)
        servers = await listen(
            sockets, settings.listen.backlog, lambda: Link(acceptor.owner_of, open_links)
        )
        event(
            _LOG,
            logging.INFO,
            "listening",
            at=[str(address_of(each)) for each in sockets],
            status_port=status.port if status is not None else None,
        )

        await lifecycle.wait_drain()
        acceptor.draining = True
        for server in servers:
            server.close()
        await drain(registry, open_links, lifecycle)
        await tell_the_rest(outcomes, policy)
        if status is not None:
            await status.aclose()
    await policy_channel.close()
    await scanner_channel.close()


def _core_settings(settings: EdgeSettings) -> CoreSettings:
    """Deadlines nest: the scan's own ends before the core's patience for a verdict does."""
    for_verdict_s = settings.scanner.deadline_s + _BEYOND_SCAN_S
    return CoreSettings(
        reply_name=settings.replies.name, patience={**PATIENCE, Phase.VERDICT: for_verdict_s}
    )


def _locks_changed(registry: Registry[Conductor], subjects: Iterable[str]) -> None:
    for session in registry.of(subjects):
        session.lock_changed()


async def _serve_status(
    settings: EdgeSettings, number: int | None, readiness: Readiness
) -> StatusServer | None:
    """With several workers the supervisor serves the metrics of all."""
    if settings.metrics is None or number is not None:
        return None
    return await serve_http(settings.metrics.listen, readiness)
