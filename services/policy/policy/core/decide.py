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
from policy.core.overrides import NO_OWN_LIMITS, PER_IDENTITY, PER_SOURCE
from rulebook.bearers import auth_subject
from smtpgated_contracts.values.mail import SessionRef
from smtpgated_contracts.values.policy import ADMITTED, Decision, DecisionKind, Stage

MALFORMED: Final = Decision(DecisionKind.DEFER, "malformed")
"""The answer to a question that no edge of ours asks."""

DECISIONS: Final[Mapping[Standing, Decision]] = {
    Standing.GRANTED: ADMITTED,
    Standing.TOTAL_REACHED: Decision(DecisionKind.DEFER, "limit:concurrent_sessions"),
    Standing.SOURCE_REACHED: Decision(DecisionKind.DEFER, "limit:concurrent_sessions_per_source"),
    Standing.DESTINATION_REACHED: Decision(
        DecisionKind.DEFER, "limit:concurrent_sessions_per_destination"
    ),
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


def share_left(farm: Farm, session: SessionRef, auth_user: bytes, now_ms: int) -> float:
    """The part of each of his limits that is left to the sender: below 1 while he is throttled."""
    if not len(farm.locks):
        return 1.0
    locks = [*farm.locks.on(session.source.address, session.identity, now_ms)]
    by_name = farm.locks.get(auth_subject(auth_user)) if auth_user else None
    if by_name is not None:
        locks.append(by_name)
    throttled = any(lock.stage_at(now_ms) is Stage.THROTTLE for lock in locks)
    return farm.rulebook.penalty.throttle_share if throttled else 1.0


def own_limits(farm: Farm, session: SessionRef, auth_user: bytes, now_ms: int) -> Mapping[str, int]:
    """Limit id -> what an override says, where one does."""
    if not len(farm.overrides):
        return NO_OWN_LIMITS
    address, identity = session.source.address, session.identity
    return farm.overrides.own_limits(address, identity, auth_subject(auth_user), now_ms)


def judge(farm: Farm, session: SessionRef, now_ms: int) -> Decision | Caps:
    """The refusal, or the caps under which the session may ask for a lease.

    The source's address is canonical (see ``subjects.normal_address``).
    """
    address, identity = session.source.address, session.identity
    limits = farm.rulebook.limits
    if farm.exemptions.cover_source(address, identity):
        return Caps(
            limits.concurrent_sessions,
            per_destination=limits.concurrent_sessions_per_destination,
        )
    if len(farm.locks):
        for lock in farm.locks.on(address, identity, now_ms):
            if lock.stage_at(now_ms) is Stage.REFUSE:
                return Decision(DecisionKind.REFUSE, f"lock:{lock.cause}")
    own = own_limits(farm, session, b"", now_ms)
    return Caps(
        limits.concurrent_sessions,
        own.get(PER_SOURCE, limits.concurrent_sessions_per_source),
        own.get(PER_IDENTITY, limits.concurrent_sessions_per_identity) if identity else 0,
        limits.concurrent_sessions_per_destination,
    )
