"""From an accepted connection to a session, or to a word of refusal."""

import logging
import secrets
from typing import Final

from edge_proxy import metrics
from edge_proxy.clients.farm_state import FarmState
from edge_proxy.conductor import Conductor, Surroundings
from edge_proxy.links.link import Link, LinkOwner
from edge_proxy.open_files import LINKS_A_SESSION, SPARE
from edge_proxy.ports import Interception, NoDestination
from edge_proxy.relay import refusals
from edge_proxy.relay.refusals import Refusal
from rulebook.values import Rulebook
from service_kit.logs import event
from smtpgated_contracts.values.mail import EdgeId, SessionId, SessionRef

_LOG: Final = logging.getLogger(__name__)


class Acceptor:
    """``without_policy``: the rulebook while policy was never seen; None: such sessions wait."""

    def __init__(
        self,
        surroundings: Surroundings,
        state: FarmState,
        interception: Interception,
        edge_id: EdgeId,
        most_sessions: int,
        without_policy: Rulebook | None,
    ) -> None:
        self._around = surroundings
        self._state = state
        self._interception = interception
        self._edge_id = edge_id
        self._most_sessions = most_sessions
        self._most_links = LINKS_A_SESSION * most_sessions + SPARE
        self._without_policy = without_policy
        # Session ids are unique over restarts and workers without asking anybody.
        self._prefix = f"{edge_id}-{secrets.token_hex(4)}"
        self._count = 0
        self.draining = False

    def owner_of(self, link: Link) -> LinkOwner | None:
        """The conductor of a new session; None when the connection was turned away."""
        state = self._state
        rulebook = state.rulebook or self._without_policy
        if len(self._around.open_links) > self._most_links:
            metrics.OVERLOADED().inc()
            link.abort()  # words would keep one descriptor more for seconds
            return None
        if len(self._around.registry) >= self._most_sessions:
            metrics.OVERLOADED().inc()
            self._turn_away(link, refusals.NOT_READY, "worker is full")
            return None
        if rulebook is None or self.draining:
            self._turn_away(link, refusals.NOT_READY, "not ready")
            return None
        try:
            destination = self._interception.original_destination(link.socket)
        except NoDestination as reason:
            self._turn_away(link, refusals.LOOP, str(reason))
            return None
        self._count += 1
        session_id = SessionId(f"{self._prefix}-{self._count:x}")
        session = SessionRef(session_id, self._edge_id, link.source, destination)
        return Conductor(self._around, session, rulebook, state.rulebook_version, link)

    def _turn_away(self, link: Link, refusal: Refusal, reason: str) -> None:
        event(_LOG, logging.WARNING, "turned away", source=str(link.source), reason=reason)
        link.send(refusals.render(refusal, enhanced=True, name=self._around.core.reply_name))
        link.close()
