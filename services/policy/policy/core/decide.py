"""OpenSession -> Decision: who is it, then locks, then limits; an exempt source meets neither
locks nor the limits per source and identity.

A lock refuses (5xx: he is not wanted), a limit defers (4xx: come again). The cause is what the
log and the metrics say: ``lock:<the lock's cause>`` or ``limit:<the rulebook's name of it>``.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from policy.core.farm import Farm
from policy.core.leases import Caps, Standing
from smtpgated_contracts.values.mail import SessionRef
from smtpgated_contracts.values.policy import ADMITTED, Decision, DecisionKind

MALFORMED: Final = Decision(DecisionKind.DEFER, "malformed")
"""The answer to a question that no edge of ours asks."""

DECISIONS: Final[Mapping[Standing, Decision]] = {
    Standing.GRANTED: ADMITTED,
    Standing.TOTAL_REACHED: Decision(DecisionKind.DEFER, "limit:concurrent_sessions"),
    Standing.SOURCE_REACHED: Decision(DecisionKind.DEFER, "limit:concurrent_sessions_per_source"),
    Standing.IDENTITY_REACHED: Decision(
        DecisionKind.DEFER, "limit:concurrent_sessions_per_identity"
    ),
}


def identified(farm: Farm, session: SessionRef, now_ms: int) -> SessionRef:
    """The session with the identity that the farm's table gives it, unless its edge knew one."""
    if session.identity:
        return session
    found = farm.identities.of(session.source.address, now_ms)
    return replace(session, identity=found.identity) if found else session


def judge(farm: Farm, session: SessionRef, now_ms: int) -> Decision | Caps:
    """The refusal, or the caps under which the session may ask for a lease.

    The source's address is canonical (see ``subjects.normal_address``).
    """
    address, identity = session.source.address, session.identity
    limits = farm.rulebook.limits
    if farm.exemptions.cover_source(address, identity):
        return Caps(limits.concurrent_sessions)
    if len(farm.locks):
        for lock in farm.locks.on(address, identity, now_ms):
            return Decision(DecisionKind.REFUSE, f"lock:{lock.cause}")
    return Caps(
        limits.concurrent_sessions,
        limits.concurrent_sessions_per_source,
        limits.concurrent_sessions_per_identity if identity else 0,
    )
