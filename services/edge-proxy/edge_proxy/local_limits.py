"""One worker's own view of the farm's limits: what decides while policy does not."""

from typing import Protocol

from rulebook.values import Rulebook
from smtpgated_contracts.values.mail import SessionRef
from smtpgated_contracts.values.policy import ADMITTED, Decision, DecisionKind


class Counted(Protocol):
    """The worker's sessions."""

    def __len__(self) -> int: ...

    def count(self, ref: SessionRef) -> int:
        """How many are counted together with this one, itself included."""
        ...

    def count_identity(self, ref: SessionRef) -> int:
        """How many have this one's identity, itself included; 0: it has none."""
        ...


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
