"""Who bears a lock or points, and as whom a session is counted: subjects in their one spelling.

``address:192.0.2.1``, ``prefix:2001:db8::/64``, ``identity:subscriber-17``, ``auth:user@example``.
Errors: none; what a session does not have is empty.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Final

from rulebook.rules import On
from smtpgated_contracts.values.mail import MAX_IDENTITY, SessionRef
from smtpgated_contracts.values.policy import address_subject, identity_subject

AUTH: Final = "auth:"
IPV4_NEIGHBOURS: Final = 24
"""Bits of the prefix that is punished together with an IPv4 address."""
COUNTED_IPV6_PREFIX: Final = 64
"""An IPv6 source is counted by its /64 (RFC 6177 §2)."""


def borne_by(on: On, session: SessionRef, auth_user: bytes) -> str:
    """The subject that bears a lock or points; empty: the session has none of that kind."""
    return _BEARERS[on](session, auth_user)


def auth_subject(user: bytes) -> str:
    """Of who has authenticated; empty where the name cannot be one: policy's rule for names."""
    try:
        name = user.decode()
    except UnicodeDecodeError:
        return ""
    is_name = name and name.isprintable() and name == name.strip() and len(name) <= MAX_IDENTITY
    return f"{AUTH}{name}" if is_name else ""


def counted_as(address: str) -> str:
    """The subject whose sessions are counted together as one source's."""
    if ":" in address:
        return prefix_of(address, COUNTED_IPV6_PREFIX)
    return address_subject(address)


@lru_cache(maxsize=8192)
def prefix_of(address: str, length: int) -> str:
    """The prefix of ``length`` bits that ``address`` lies in."""
    return f"prefix:{ip_network((ip_address(address).packed, length), strict=False)}"


def locked_as(session: SessionRef) -> str:
    """The subject that a rule locks: who it is, if that is known, else where it comes from.

    The next subscriber who is given the address is not to blame; nor is everybody else behind a
    router whose address all of them have.
    """
    if session.identity:
        return identity_subject(session.identity)
    return counted_as(session.source.address)


def _neighbours(session: SessionRef) -> str:
    address = session.source.address
    return prefix_of(address, COUNTED_IPV6_PREFIX if ":" in address else IPV4_NEIGHBOURS)


_BEARERS: Final[Mapping[On, Callable[[SessionRef, bytes], str]]] = {
    On.SOURCE: lambda session, _: locked_as(session),
    On.ADDRESS: lambda session, _: address_subject(session.source.address),
    On.PREFIX: lambda session, _: _neighbours(session),
    On.IDENTITY: lambda session, _: identity_subject(session.identity) if session.identity else "",
    On.AUTH_USER: lambda _, auth_user: auth_subject(auth_user),
}
