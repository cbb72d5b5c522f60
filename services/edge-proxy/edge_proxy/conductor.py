"""One session: its core, its two links, its timer, and what was asked for in its name.

The only place that knows both worlds. What happens on a link or in a service becomes an input
of the core; what the core answers is performed at once, in order, before the next input
(``_perform``). Asynchronous work comes back as an input on the same loop.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from edge_proxy import metrics
from edge_proxy.deadlines import Deadlines
from edge_proxy.held_session import HeldSession
from edge_proxy.journal import Journal
from edge_proxy.links.connect import NotConnected, Route, connect
from edge_proxy.links.link import Link
from edge_proxy.links.tunnel import Tunnel
from edge_proxy.metrics import Side
from edge_proxy.ports import ScanFeed
from edge_proxy.questions import data_asked, mail_asked
from edge_proxy.relay import actions, refusals
from edge_proxy.relay.actions import Action, Loss
from edge_proxy.relay.facts import CloseCause
from edge_proxy.relay.session import RelaySession
from edge_proxy.surroundings import Surroundings
from rulebook.values import Rulebook
from smtpgated_contracts.values.asked import SessionAsked
from smtpgated_contracts.values.mail import SessionRef
from smtpgated_contracts.values.policy import Decision, DecisionKind, SessionProgress, Stage
from smtpgated_contracts.values.scan import Verdict

Input = Callable[[], Sequence[Action]]


class Conductor:
    """A ``LinkOwner``. Lives from the accepted connection to the end of both links."""

    def __init__(
        self,
        surroundings: Surroundings,
        session: SessionRef,
        rulebook: Rulebook,
        rulebook_version: int,
        downstream: Link,
        route: Route,
    ) -> None:
        self.session = session
        self._around = surroundings
        self._core = RelaySession(surroundings.core, session, rulebook)
        self._journal = Journal(
            surroundings.reporting, session, rulebook, rulebook_version, self._core.record
        )
        self._downstream = downstream
        self._route = route
        self._upstream: Link | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._feed: ScanFeed | None = None
        self._tunnel: Tunnel | None = None
        self._auth_user = b""
        self._held = HeldSession(
            surroundings.locks, surroundings.reporting.clock, self.lock_changed
        )
        self._inputs: deque[Input] = deque()
        self._performing = False
        self._over = False
        self._asked_policy = False
        self._deadlines = Deadlines(self._core, surroundings.content_total_s, self._input)

    # The session's life

    def began(self, link: Link) -> None:
        if link is self._downstream:
            self._start()
            return
        # Cancelled from here on, the call would close the transport and tell the link nothing.
        self._connecting = None
        if self._over:
            link.abort()
        else:
            self._upstream = link
            if self._route.first_octets:
                link.send(self._route.first_octets)
            self._input(self._core.upstream_connected)

    def _start(self) -> None:
        self._around.registry.add(self.session, self)
        metrics.OPEN_SESSIONS().inc()
        hold = self._around.locks.hold_on(self.session)
        refused = hold is not None and hold.stage is Stage.REFUSE
        # Nobody is turned away whom policy may know as exempt: what it answers decides.
        locked = refused and not self._around.locks.may_be_exempt(self.session)
        if locked:
            metrics.LOCKED_OUT().inc()
        if self._around.load.spared:
            self.load_changed()
        self._core.loaded(self._around.load.average)
        self._input(lambda: self._core.start(locked=locked))
        if hold is not None and not refused:
            self.lock_changed()

    def lock_changed(self) -> None:
        """Policy pushed something about its subjects, or a lock has come to its next stage."""
        if self._over:
            return
        begun = self._held.follow(self.session, self._auth_user)
        if begun is not None:
            self._journal.held(begun)
        stage = self._held.stage
        self._input(lambda: self._core.held(stage))

    def load_changed(self) -> None:
        """What is spared because of load is not what it was."""
        self._input(lambda: self._core.spare(self._around.load.spared))

    @property
    def has_begun_mail(self) -> bool:
        return self._core.has_begun_mail

    def drain(self) -> None:
        self._input(self._core.drain)

    def shut_down(self) -> None:
        self._input(self._core.shut_down)

    def described(self) -> SessionProgress:
        return SessionProgress(
            session=self.session,
            phase=self._core.phase.value,
            transactions=self._core.record.transactions,
            opened_at_ms=self._journal.opened_at_ms,
            octets_up=self._journal.octets_up,
            octets_down=self._journal.octets_down,
            estimated_messages=self._tunnel.messages if self._tunnel is not None else 0,
        )

    # What the links tell

    def octets_arrived(self, link: Link, octets: bytes) -> None:
        downstream = link is self._downstream
        metrics.OCTETS(Side.DOWNSTREAM if downstream else Side.UPSTREAM).inc(len(octets))
        self._journal.count_octets(len(octets), downstream=downstream)
        if self._tunnel is not None:
            self._tunnel.octets_arrived(link, octets)
            self._keep_time()
        elif downstream:
            self._core.loaded(self._around.load.average)
            self._input(lambda: self._core.downstream_octets(octets))
        else:
            self._input(lambda: self._core.upstream_octets(octets))

    def ended(self, link: Link) -> None:
        if self._tunnel is not None:
            self._tunnel.ended(link)
            by = self._tunnel.ended_by
            if by is not None:
                self._input(lambda: self._core.tunnel_ended(by))
        elif link is self._downstream:
            self._input(self._core.downstream_ended)
        else:
            link.abort()  # a server that says no more is of no use to anybody
            self._upstream = None
            self._input(lambda: self._core.upstream_lost(Loss.CLOSED))

    def lost(self, link: Link) -> None:
        if link is self._downstream:
            self._input(self._core.downstream_lost)
            self._finish()
        else:
            self._upstream = None
            self._input(lambda: self._core.upstream_lost(Loss.CLOSED))

    def room_changed(self, link: Link) -> None:
        self._settle()

    # What services answer

    def _session_decided(self, decision: Decision) -> None:
        if self._over:
            return
        if decision.identity and not self.session.identity:
            self._identify(decision.identity)
        hold = self._around.locks.hold_on(self.session)
        if hold is not None and hold.stage is Stage.REFUSE:
            metrics.LOCKED_OUT().inc()
            decision = Decision(DecisionKind.REFUSE, f"lock:{hold.lock.cause}")
        self._input(lambda: self._core.trace(self._around.trace(self.session)))
        self._input(lambda: self._core.decided(decision))

    def _decided(self, decision: Decision) -> None:
        if not self._over:
            self._input(lambda: self._core.decided(decision))

    def _identify(self, identity: str) -> None:
        """Policy knows who the source is: the session is found, locked and logged as his too."""
        self._is_known_as(replace(self.session, identity=identity), self._auth_user)
        self._journal.identified(self.session)
        self._input(lambda: self._core.identify(identity))
        self.lock_changed()

    def _is_known_as(self, session: SessionRef, auth_user: bytes) -> None:
        self._around.registry.remove(self.session)
        self.session, self._auth_user = session, auth_user
        self._around.registry.add(session, self, auth_user)

    def _scanned(self, scan: actions.ScanId, verdict: Verdict) -> None:
        self._journal.verdict_came(verdict)
        self._input(lambda: self._core.scanned(scan, verdict))

    async def _connect(self) -> None:
        around = self._around
        try:
            await connect(
                self._route,
                around.connect_timeout_s,
                Link(lambda _link: self, around.open_links),
            )
        except NotConnected as failure:
            loss = failure.loss
            self._input(lambda: self._core.upstream_lost(loss))

    # Inputs and actions

    def _input(self, told: Input) -> None:
        """Tell the core something and perform what follows; never inside another input."""
        self._inputs.append(told)
        if self._performing:
            return
        self._performing = True
        try:
            while self._inputs:
                for action in self._inputs.popleft()():
                    self.PERFORM[type(action)](self, action)
        except Exception as bug:  # noqa: BLE001 - one session dies of a bug, not the edge
            self._break(bug)
        finally:
            self._performing = False
        self._settle()

    def _break(self, bug: Exception) -> None:
        self._journal.broke(self._core.phase, bug)
        self._inputs.clear()
        self._core.record.closed_by = CloseCause.ERROR
        if self._tunnel is None:
            self._downstream.send(refusals.render(refusals.OUR_FAULT, enhanced=False))
        self._drop_everything()
        self._downstream.close()
        self._finish()

    def _settle(self) -> None:
        """After every input: who may be read from, and until when patience lasts."""
        if self._over:
            return
        downstream_full = self._downstream.full
        upstream_full = self._upstream is not None and self._upstream.full
        feed_full = self._feed is not None and self._feed.full
        wanted = self._tunnel is not None or self._core.wants_downstream
        self._downstream.set_reading(wanted and not upstream_full and not feed_full)
        if self._upstream is not None:
            self._upstream.set_reading(not downstream_full)
        self._keep_time()

    def _keep_time(self) -> None:
        self._deadlines.follow(self._tunnel.progress if self._tunnel is not None else 0)

    def _finish(self) -> None:
        """The session is over: what was held for it is given back, once."""
        if self._over:
            return
        self._over = True
        self._deadlines.stop()
        self._held.stop()
        self._drop_everything()
        self._around.registry.remove(self.session)
        if self._asked_policy:
            self._around.policy.close_session(self.session.session_id)
        metrics.OPEN_SESSIONS().dec()
        tunnel = self._tunnel.stop() if self._tunnel is not None else None
        self._journal.session_ended(self._core.record, tunnel)

    def _drop_everything(self) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
        if self._feed is not None:
            self._feed.abandon()
            self._feed = None
        if self._upstream is not None:
            self._upstream.abort()
            self._upstream = None

    # Performing

    def _send_downstream(self, action: actions.SendDownstream) -> None:
        self._downstream.send(action.octets)

    def _send_upstream(self, action: actions.SendUpstream) -> None:
        if self._upstream is not None:
            self._upstream.send(action.octets)

    def _feed_scan(self, action: actions.FeedScan) -> None:
        if self._feed is not None:
            self._feed.feed(action.content)

    def _connect_upstream(self, _action: actions.ConnectUpstream) -> None:
        self._connecting = self._around.tasks.spawn(self._connect(), name="connect upstream")

    def _ask_policy(self, action: actions.AskPolicy) -> None:
        self._asked_policy = True
        asked = SessionAsked(self.session, action.profiles)
        self._around.policy.open_session(asked, self.described, self._session_decided)

    def _ask_mail(self, action: actions.AskMail) -> None:
        asked = mail_asked(self.session, action, self._upstream)
        self._around.policy.ask(asked, self._decided)

    def _ask_data(self, action: actions.AskData) -> None:
        self._around.policy.ask(data_asked(self.session, action), self._decided)

    def _know_user(self, action: actions.KnowUser) -> None:
        """Locks on whom he authenticated as touch the session from now on."""
        self._is_known_as(self.session, action.user)
        self.lock_changed()

    def _begin_scan(self, action: actions.BeginScan) -> None:
        scan = action.scan
        self._feed = self._around.scanner.begin(
            self.session,
            scan,
            action.skip,
            action.profile,
            lambda verdict: self._scanned(scan, verdict),
            self._settle,
        )

    def _finish_scan(self, action: actions.FinishScan) -> None:
        self._journal.verdict_awaited()
        if self._feed is not None:
            self._feed.finish(action.envelope, head_only=action.head_only)

    def _abandon_scan(self, _action: actions.AbandonScan) -> None:
        if self._feed is not None:
            self._feed.abandon()
            self._feed = None

    def _close_upstream(self, _action: actions.CloseUpstream) -> None:
        if self._upstream is not None:
            self._upstream.close()
            self._upstream = None

    def _abort_upstream(self, _action: actions.AbortUpstream) -> None:
        if self._upstream is not None:
            self._upstream.abort()
            self._upstream = None

    def _close_downstream(self, _action: actions.CloseDownstream) -> None:
        self._downstream.close()
        self._finish()

    def _look_downstream(self, _action: actions.LookDownstream) -> None:
        waiting = self._downstream.octets_waiting() > 0
        self._inputs.append(lambda: self._core.looked(waiting=waiting))

    def _become_tunnel(self, action: actions.BecomeTunnel) -> None:
        if self._upstream is not None:
            metrics.TUNNELS().inc()
            limits = self._around.tunnel_limits
            if not action.is_tls:
                limits = replace(limits, require_tls=False)
            self._tunnel = Tunnel(self._downstream, self._upstream, limits, self._cut_tunnel)
            self._journal.tunnel_began(self._tunnel, self._auth_user, action.profiles)

    def _cut_tunnel(self, by: CloseCause, detail: str) -> None:
        self._input(lambda: self._core.cut_tunnel(by, detail))

    def _note(self, action: actions.Note) -> None:
        self._journal.note(action.fact)

    PERFORM: ClassVar[Mapping[type[Action], Callable[["Conductor", Any], None]]] = {
        actions.SendDownstream: _send_downstream,
        actions.SendUpstream: _send_upstream,
        actions.FeedScan: _feed_scan,
        actions.ConnectUpstream: _connect_upstream,
        actions.AskPolicy: _ask_policy,
        actions.AskMail: _ask_mail,
        actions.AskData: _ask_data,
        actions.KnowUser: _know_user,
        actions.BeginScan: _begin_scan,
        actions.FinishScan: _finish_scan,
        actions.AbandonScan: _abandon_scan,
        actions.CloseUpstream: _close_upstream,
        actions.AbortUpstream: _abort_upstream,
        actions.CloseDownstream: _close_downstream,
        actions.LookDownstream: _look_downstream,
        actions.BecomeTunnel: _become_tunnel,
        actions.Note: _note,
    }
