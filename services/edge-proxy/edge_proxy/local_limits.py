"""One worker's own view of the farm's limits: what decides while policy does not."""

from collections.abc import Callable
from typing import Final, Protocol

from rulebook.values import Rulebook
from smtpgated_contracts.values.asked import DataAsked, MailAsked, SessionAsked
from smtpgated_contracts.values.mail import SessionRef
from smtpgated_contracts.values.policy import ADMITTED, Decision, DecisionKind

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


class LocalPolicy:
    """``rulebook`` None: policy was never seen."""

    def __init__(
        self,
        rulebook: Callable[[], Rulebook | None],
        sessions: Counted,
        is_exempt: Callable[[SessionRef], bool],
    ) -> None:
        self._rulebook = rulebook
        self._sessions = sessions
        self._is_exempt = is_exempt

    def decide(self, asked: SessionAsked | MailAsked | DataAsked) -> Decision:
        exempt = self._is_exempt(asked.session)
        if isinstance(asked, SessionAsked):
            return decide_locally(self._rulebook(), self._sessions, asked.session, exempt=exempt)
        return ADMITTED_HERE


def decide_locally(
    rulebook: Rulebook | None, sessions: Counted, asked: SessionRef, *, exempt: bool = False
) -> Decision:
    """``asked`` is among ``sessions`` already; ``rulebook`` None: policy was never seen."""
    if rulebook is None:
        return Decision(DecisionKind.DEFER, "policy was never seen")
    limits = rulebook.limits
    if 0 < limits.concurrent_sessions < len(sessions):
        return Decision(DecisionKind.DEFER, "local limit:concurrent_sessions")
    if exempt or rulebook.exempt.covers(asked.source.address):
        return ADMITTED
    if 0 < limits.concurrent_sessions_per_source < sessions.count(asked):
        return Decision(DecisionKind.DEFER, "local limit:concurrent_sessions_per_source")
    if 0 < limits.concurrent_sessions_per_identity < sessions.count_identity(asked):
        return Decision(DecisionKind.DEFER, "local limit:concurrent_sessions_per_identity")
    return ADMITTED
