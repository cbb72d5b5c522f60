"""From an accepted connection to a session, or to a word of refusal."""

import logging
import secrets
from collections.abc import Mapping
from typing import Final

from edge_proxy import metrics
from edge_proxy.arrival import Arrival
from edge_proxy.clients.farm_state import FarmState
from edge_proxy.conductor import Conductor
from edge_proxy.destination_settings import DestinationSettings
from edge_proxy.interception.introduce import proxy_header
from edge_proxy.interception.tproxy import local_end
from edge_proxy.links.connect import Route
from edge_proxy.links.link import Link, LinkOwner
from edge_proxy.load import Load
from edge_proxy.metrics import Overload, WayIn
from edge_proxy.open_files import LINKS_A_SESSION, SPARE
from edge_proxy.ports import Found, Interception, NoDestination, NotFound
from edge_proxy.relay import refusals
from edge_proxy.relay.refusals import Refusal
from edge_proxy.seldom import Seldom
from edge_proxy.surroundings import Surroundings
from rulebook.values import Rulebook
from service_kit.clock import Clock
from service_kit.logs import event
from smtpgated_contracts.values.mail import EdgeId, SessionId, SessionRef

_LOG: Final = logging.getLogger(__name__)

_ANSWERS: Final[Mapping[NotFound, Refusal | None]] = {
    NotFound.NOT_INTERCEPTED: refusals.LOOP,
    NotFound.LOOP: refusals.LOOP,
    NotFound.NOT_ALLOWED: refusals.REFUSED_BY_RULE,
    NotFound.UNKNOWN: refusals.NO_DESTINATION,
    NotFound.NO_ANSWER: refusals.NO_DESTINATION,
    NotFound.BAD_ANSWER: refusals.NO_DESTINATION,
    NotFound.PROBE: None,
    NotFound.LEFT: None,
}
"""What a client is told that cannot be served; None: nothing."""


class Acceptor:
    """``without_policy``: the rulebook while policy was never seen; None: such sessions wait."""

    def __init__(
        self,
        surroundings: Surroundings,
        state: FarmState,
        interception: Interception,
        destination: DestinationSettings,
        edge_id: EdgeId,
        most_sessions: int,
        without_policy: Rulebook | None,
        load: Load,
        clock: Clock,
    ) -> None:
        self._around = surroundings
        self._state = state
        self._interception = interception
        self._mode = WayIn(destination.mode)
        self._outgoing_address = destination.outgoing_address
        self._outgoing_mark = destination.outgoing_mark
        self._introduces = destination.introduce == "proxy-v2"
        self._identity_tlv = destination.identity_tlv
        self._lookup_timeout_s = destination.lookup_timeout_s
        self._edge_id = edge_id
        self._most_sessions = most_sessions
        self._most_links = LINKS_A_SESSION * most_sessions + SPARE
        self._without_policy = without_policy
        self._load = load
        self._refused = {each: Seldom(clock) for each in Overload}
        # Session ids are unique over restarts and workers without asking anybody.
        self._prefix = f"{edge_id}-{secrets.token_hex(4)}"
        self._count = 0
        self.arrivals = 0
        """Connections of which it is not known yet where they were going."""

    def owner_of(self, link: Link) -> LinkOwner | None:
        """Who deals with a new connection; None when it was turned away."""
        if len(self._around.open_links) > self._most_links:
            self._overloaded(link, Overload.LINKS)
            link.abort()  # words would keep one descriptor more for seconds
            return None
        full = len(self._around.registry) + self.arrivals >= self._most_sessions
        overload = Overload.SESSIONS if full else self._load.overload
        if overload is not None:
            self._overloaded(link, overload)
            self._say(link, refusals.NOT_READY)
            return None
        if self._rulebook is None:
            self._turn_away(link, refusals.NOT_READY, "not ready")
            return None
        self.arrivals += 1
        return Arrival(
            link, self._interception, self._lookup_timeout_s, self._around.tasks, self._arrived
        )

    def _arrived(self, arrival: Arrival, result: Found | NoDestination) -> LinkOwner | None:
        self.arrivals -= 1
        link = arrival.link
        if isinstance(result, NoDestination):
            metrics.NO_DESTINATION(self._mode, result.why).inc()
            refusal = _ANSWERS[result.why]
            if refusal is None:
                link.close()
            else:
                self._turn_away(link, refusal, str(result))
            return None
        rulebook = self._rulebook
        if rulebook is None:
            self._turn_away(link, refusals.NOT_READY, "not ready")
            return None
        self._count += 1
        session_id = SessionId(f"{self._prefix}-{self._count:x}")
        session = SessionRef(
            session_id,
            self._edge_id,
            result.source,
            result.original_destination,
            result.identity,
        )
        version = self._state.rulebook_version
        return Conductor(self._around, session, rulebook, version, link, self._route(result, link))

    def _route(self, found: Found, link: Link) -> Route:
        return Route(
            found.original_destination,
            found.source.address if found.transparent else self._outgoing_address,
            found.transparent,
            self._introduction(found, link),
            self._outgoing_mark,
        )

    def _introduction(self, found: Found, link: Link) -> bytes:
        if not self._introduces:
            return b""
        return proxy_header(found, local_end(link.socket), self._identity_tlv)

    @property
    def _rulebook(self) -> Rulebook | None:
        return self._state.rulebook or self._without_policy

    def _overloaded(self, link: Link, why: Overload) -> None:
        metrics.OVERLOADED(why).inc()
        refused = self._refused[why].count()
        if refused:
            source = str(link.source)
            event(
                _LOG, logging.WARNING, "overloaded", why=why.value, refused=refused, source=source
            )

    def _turn_away(self, link: Link, refusal: Refusal, reason: str) -> None:
        event(_LOG, logging.WARNING, "turned away", source=str(link.source), reason=reason)
        self._say(link, refusal)

    def _say(self, link: Link, refusal: Refusal) -> None:
        """The only words of a connection that becomes no session."""
        link.send(refusals.render(refusal, enhanced=True, name=self._around.core.reply_name))
        link.close()
