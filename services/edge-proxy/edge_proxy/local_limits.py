"""One worker's own view of the farm's limits: what decides while policy does not."""

from typing import Final, Protocol

from edge_proxy.local_rates import LocalRates
from edge_proxy.ports import Hold
from rulebook.values import Rulebook
from smtpgated_contracts.values.asked import DataAsked, MailAsked, SessionAsked
from smtpgated_contracts.values.mail import SessionRef
from smtpgated_contracts.values.policy import ADMITTED, Decision, DecisionKind, Stage

ADMITTED_HERE: Final = Decision(DecisionKind.ADMIT, "local limits")
"""Its cause says that nothing was spent which policy could give back."""


class Counted(Protocol):
    """The worker's sessions."""

    def __len__(self) -> int: ...

    def count(self, ref: SessionRef) -> int:
        """How many are counted together with this one, itself included."""
        ...

    def count_identity(self, ref: SessionRef) -> int:
        """How many have this one's identity, itself included; 0: it has none."""
        ...

    def count_destination(self, ref: SessionRef) -> int:
        """How many go to this one's server, itself included."""
        ...


class Known(Protocol):
    """What policy pushed."""

    @property
    def rulebook(self) -> Rulebook | None: ...

    def is_exempt(self, session: SessionRef) -> bool: ...

    def hold_on(self, session: SessionRef, auth_user: bytes = b"") -> Hold | None: ...


class LocalPolicy:
    """What policy would say, as far as one worker can know. ``without_policy``: the rulebook
    while policy was never seen; None: nobody is admitted then."""

    def __init__(
        self,
        known: Known,
        without_policy: Rulebook | None,
        sessions: Counted,
        rates: LocalRates,
    ) -> None:
        self._known = known
        self._without_policy = without_policy
        self._sessions = sessions
        self._rates = rates

    def decide(self, asked: SessionAsked | MailAsked | DataAsked) -> Decision:
        rulebook, exempt = self._rulebook, self._known.is_exempt(asked.session)
        if isinstance(asked, SessionAsked):
            decision = decide_locally(rulebook, self._sessions, asked.session, exempt=exempt)
        else:
            decision = ADMITTED_HERE
        if rulebook is None or not rulebook.rates or decision.kind is not DecisionKind.ADMIT:
            return decision
        exempt = exempt or rulebook.exempt.covers(asked.session.source.address)
        throttled = self._is_throttled(asked)
        return self._rates.decide(rulebook, asked, exempt=exempt, throttled=throttled) or decision

    @property
    def _rulebook(self) -> Rulebook | None:
        return self._known.rulebook or self._without_policy

    def _is_throttled(self, asked: SessionAsked | MailAsked | DataAsked) -> bool:
        auth_user = b"" if isinstance(asked, SessionAsked) else asked.envelope.auth_user
        hold = self._known.hold_on(asked.session, auth_user)
        return hold is not None and hold.stage is Stage.THROTTLE


def decide_locally(
    rulebook: Rulebook | None, sessions: Counted, asked: SessionRef, *, exempt: bool = False
) -> Decision:
    """``asked`` is among ``sessions`` already; ``rulebook`` None: policy was never seen."""
    if rulebook is None:
        return Decision(DecisionKind.DEFER, "policy was never seen")
    limits = rulebook.limits
    measured = [
        (limits.concurrent_sessions, len(sessions), ""),
        (
            limits.concurrent_sessions_per_destination,
            sessions.count_destination(asked),
            "_per_destination",
        ),
    ]
    if not (exempt or rulebook.exempt.covers(asked.source.address)):
        measured += [
            (limits.concurrent_sessions_per_source, sessions.count(asked), "_per_source"),
            (
                limits.concurrent_sessions_per_identity,
                sessions.count_identity(asked),
                "_per_identity",
            ),
        ]
    for most, running, per in measured:
        if 0 < most < running:
            return Decision(DecisionKind.DEFER, f"local limit:concurrent_sessions{per}")
    return ADMITTED
