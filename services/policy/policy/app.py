"""One policy process, put together and taken apart.

Errors of ``start``: ConfigError and StartError. After it ``run`` serves until the lifecycle
drains; a failure of the part that follows the store ends the process, because a replica that
silently stops following would enforce yesterday's locks.
"""

import asyncio
import secrets
from collections.abc import Sequence
from importlib import metadata
from typing import Final

from policy.admin.app import build_admin
from policy.admin.context import AdminContext
from policy.admin.live import LiveFeed
from policy.admin.server import AdminServer
from policy.admin.throttle import LoginThrottle
from policy.admin.token_uses import TokenUses
from policy.admin.tokens import Tokens, read_tokens
from policy.backing import dns_resolver, redis_store
from policy.config import PolicySettings
from policy.core.farm import Announcement, Farm
from policy.core.local_limiter import LocalLimiter
from policy.dns.dnsbl import DnsblChecker
from policy.dns.spf_check import SpfChecker
from policy.grpc_service.answering import Answering
from policy.grpc_service.metering import Metering
from policy.grpc_service.reporting import Reporting
from policy.grpc_service.servicer import SERVICE_NAME, PolicyServicer
from policy.grpc_service.watching import Watchers
from policy.ports import PolicyStore
from policy.replica import chores
from policy.replica.contacts import EdgeContacts
from policy.replica.decider import Decider
from policy.replica.decision_log import DecisionLog
from policy.replica.disk_copy import DiskCopy
from policy.replica.keeper import FarmKeeper
from policy.replica.presence import StorePresence
from policy.replica.sanctions import Sanctions
from policy.replica.sender_facts import SenderFacts
from rulebook.defaults import DEFAULT_DOCUMENT
from rulebook.document import MAX_DOCUMENT_OCTETS, parse
from rulebook.errors import RulebookError
from service_kit.clock import SYSTEM_CLOCK, Clock
from service_kit.collection import put_start_aside
from service_kit.config import ConfigError
from service_kit.errors import StartError
from service_kit.grpc_server import RunningServer, ServerOptions, start_server
from service_kit.health import Readiness
from service_kit.lifecycle import Lifecycle
from service_kit.metrics import StatusServer, serve_http
from service_kit.notify import READY, notify
from service_kit.tasks import Tasks
from smtpgated.policy.v1 import policy_pb2_grpc

# A rulebook travels in one message.
_SERVER_OPTIONS: Final = ServerOptions(
    largest_message_octets=MAX_DOCUMENT_OCTETS + 1024 * 1024, concurrent_calls=8192
)
_REQUIRED_WITHIN_S: Final = 5.0
_ADMIN_GRACE_S: Final = 2.0


async def run(settings: PolicySettings) -> None:
    """What ``policy run`` does."""
    lifecycle = Lifecycle()
    app = PolicyApp(settings)
    try:
        await app.start()
        put_start_aside()
        notify(READY)
        await app.serve_until(lifecycle.draining)
    finally:
        await app.stop(lifecycle.drain_remaining_s())
        lifecycle.close()


class PolicyApp:
    """``store`` None: the Redis of the settings."""

    def __init__(
        self,
        settings: PolicySettings,
        store: PolicyStore | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._settings = settings
        self._clock = clock
        redis = settings.redis
        lease_ms = round(redis.lease_s * 1000)
        self.store: Final[PolicyStore] = store or redis_store(redis)
        self.farm: Final = Farm()
        self.readiness: Final = Readiness("rulebook")
        self.presence: Final = StorePresence(clock)
        self._resolver = dns_resolver(settings.dns)
        self._copy = DiskCopy(settings.state_dir) if settings.state_dir else None
        self._limiter = LocalLimiter(redis.away_share, lease_ms)
        self._contacts = EdgeContacts(clock)
        self._watchers = Watchers(self.farm, clock)
        self._live = LiveFeed(self.store, self.presence)
        self.keeper: Final = FarmKeeper(
            self.farm,
            self.store,
            self.presence,
            self._announce,
            clock,
            _first_document(settings),
            self._copy,
        )
        self._sanctions = Sanctions(self.farm, self.keeper, self.store, self.presence, clock)
        self._decisions = DecisionLog(
            self.farm,
            self.store,
            self.presence,
            clock,
            secrets.token_hex(4),
            admitted=settings.decisions.admitted,
            most=settings.decisions.kept,
        )
        self._servicer = self._make_servicer()
        self._uses = TokenUses()
        self._tasks = Tasks()
        self._following: asyncio.Task[None] | None = None
        self._grpc: RunningServer | None = None
        self._admin: AdminServer | None = None
        self._metrics: StatusServer | None = None

    @property
    def grpc_port(self) -> int:
        assert self._grpc is not None, "started"
        return self._grpc.port

    @property
    def admin_port(self) -> int:
        assert self._admin is not None, "started"
        return self._admin.port

    async def start(self) -> None:
        """Listen everywhere. Ready only when the store has been read once."""
        settings = self._settings
        if settings.admin.serve:
            tokens = read_tokens(settings.admin.token_file)
            api = build_admin(self._admin_context(tokens))
            self._admin = AdminServer(api, settings.admin.listen)
        if settings.metrics.listen is not None:
            self._metrics = await serve_http(settings.metrics.listen, self.readiness)
        self._grpc = await start_server(
            settings.listen.address,
            settings.tls,
            self.readiness,
            {
                SERVICE_NAME: lambda server: policy_pb2_grpc.add_PolicyServiceServicer_to_server(
                    self._servicer, server
                )
            },
            _SERVER_OPTIONS,
        )
        self._following = self._tasks.spawn(self.keeper.run(), name="farm keeper")
        self._spawn_chores()
        if self._admin is not None:
            self._admin.start(self._tasks)
        if settings.redis.required_at_start:
            await self._wait_for_the_store()

    async def serve_until(self, draining: asyncio.Event) -> None:
        """Returns when ``draining`` is set; raises what ended the keeper."""
        assert self._following is not None, "started"
        drained = self._tasks.spawn(draining.wait(), name="drain")
        await asyncio.wait([drained, self._following], return_when=asyncio.FIRST_COMPLETED)
        if self._following.done():
            self._following.result()

    async def stop(self, grace_s: float) -> None:
        """Streams end in good order, what is under way may end within ``grace_s``."""
        self._servicer.drain()
        self._live.end()
        async with asyncio.TaskGroup() as stopping:
            if self._grpc is not None:
                stopping.create_task(self._grpc.stop(grace_s))
            if self._admin is not None:
                stopping.create_task(self._admin.stop(min(grace_s, _ADMIN_GRACE_S)))
        await self._tasks.aclose()
        if self._copy is not None:
            await chores.write_copy(self._copy, self.keeper, self.farm, self._clock)
        if self._metrics is not None:
            await self._metrics.aclose()
        await self._resolver.aclose()
        await self.store.aclose()

    def _announce(self, announcement: Announcement) -> None:
        self._watchers.announce(announcement)
        self._live.announce(announcement)

    def _make_servicer(self) -> PolicyServicer:
        farm, store, presence, clock = self.farm, self.store, self.presence, self._clock
        deadline_s = self._settings.redis.deadline_s
        decider = Decider(
            farm,
            store,
            self._limiter,
            presence,
            clock,
            self._sanctions.exceeded,
            self._decisions.answered,
        )
        spf, blocklists = SpfChecker(self._resolver), DnsblChecker(self._resolver)
        facts = SenderFacts(self.farm, spf, blocklists, self._settings.dns.deadline_s)
        return PolicyServicer(
            self.farm,
            self._watchers,
            Answering(decider, facts, self._contacts, deadline_s),
            Reporting(
                farm,
                self.keeper,
                store,
                store,
                self._limiter,
                self._sanctions,
                presence,
                clock,
                deadline_s,
                self._decisions,
                Metering(
                    farm,
                    store,
                    self._limiter,
                    presence,
                    clock,
                    self._sanctions.exceeded,
                    deadline_s,
                ),
            ),
            self._contacts,
        )

    def _admin_context(self, tokens: Tokens) -> AdminContext:
        return AdminContext(
            farm_name=self._settings.redis.farm,
            version=metadata.version("smtpgated-policy"),
            started_ms=self._clock.unix_ms(),
            farm=self.farm,
            store=self.store,
            keeper=self.keeper,
            presence=self.presence,
            limiter=self._limiter,
            watching=self._watching,
            readiness=self.readiness,
            first_tokens=tokens,
            throttle=LoginThrottle(self._clock),
            uses=self._uses,
            live=self._live,
            metrics_open=self._settings.admin.metrics_open,
            clock=self._clock,
        )

    def _watching(self) -> Sequence[str]:
        return self._watchers.edge_ids()

    def _spawn_chores(self) -> None:
        store, farm, presence, clock = self.store, self.farm, self.presence, self._clock
        self._tasks.spawn(self._say_when_ready(), name="readiness")
        self._tasks.spawn(self._sanctions.run(), name="sanctions of limits")
        self._tasks.spawn(self._decisions.run(), name="decisions kept")
        self._tasks.spawn(
            chores.tell_contacts(store, self._contacts, self._watching, presence), name="contacts"
        )
        self._tasks.spawn(chores.forget_expired(store, farm, presence, clock), name="expiry")
        self._tasks.spawn(self._uses.tell(store, presence), name="uses of tokens")
        self._tasks.spawn(self._live.follow_outcomes(), name="live view")
        if self._copy is not None:
            keeping = chores.keep_copy(self._copy, self.keeper, farm, clock)
            self._tasks.spawn(keeping, name="copy on disk")
            identities = chores.keep_identities(self._copy, farm, clock)
            self._tasks.spawn(identities, name="identities on disk")

    async def _say_when_ready(self) -> None:
        await self.keeper.loaded.wait()
        self.readiness.set("rulebook", ready=True)

    async def _wait_for_the_store(self) -> None:
        try:
            async with asyncio.timeout(_REQUIRED_WITHIN_S):
                await self.keeper.loaded.wait()
        except TimeoutError:
            raise StartError(
                f"Redis is required at the start and does not answer: {self.presence.why}"
            ) from None


def _first_document(settings: PolicySettings) -> str:
    """For a store that has no rulebook yet."""
    path = settings.rulebook.file
    if path is None:
        return DEFAULT_DOCUMENT
    try:
        document = path.read_text(encoding="utf-8")
        parse(document)
    except (OSError, UnicodeDecodeError) as wrong:
        raise ConfigError(f"[rulebook] file = {path}: cannot be read: {wrong}") from None
    except RulebookError as wrong:
        raise ConfigError(f"[rulebook] file = {path}: {wrong}") from None
    return document
