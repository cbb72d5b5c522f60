"""What a session can be locked and counted by, in policy's spelling of subjects.

``address:192.0.2.1``, ``identity:subscriber-17``, ``auth:user@example.net``,
``prefix:192.0.2.0/24`` (canonical, no host bits). A source lies in many prefixes, so prefixes
are looked for by the lengths in use.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Final

from rulebook.values import On
from smtpgated_contracts.values.mail import MAX_IDENTITY, SessionRef
from smtpgated_contracts.values.policy import address_subject, identity_subject

PREFIX: Final = "prefix:"
IDENTITY: Final = identity_subject("")
AUTH: Final = "auth:"
IPV4_NEIGHBOURS: Final = 24
"""Bits of the prefix that is punished together with an IPv4 address."""
COUNTED_IPV6_PREFIX: Final = 64
"""Per-source limits count an IPv6 source by its /64, as policy does (RFC 6177 §2)."""


def subjects_of(session: SessionRef, auth_user: bytes = b"") -> tuple[str, ...]:
    """Everything of a session that is locked by name."""
    names = (
        address_subject(session.source.address),
        identity_subject(session.identity) if session.identity else "",
        auth_subject(auth_user) if auth_user else "",
    )
    return tuple(name for name in names if name)


def auth_subject(user: bytes) -> str:
    """Of who has authenticated; empty where the name cannot be one: policy's rule for names."""
    try:
        name = user.decode()
    except UnicodeDecodeError:
        return ""
    is_name = name and name.isprintable() and name == name.strip() and len(name) <= MAX_IDENTITY
    return f"{AUTH}{name}" if is_name else ""


def borne_by(on: On, session: SessionRef, auth_user: bytes) -> str:
    """The subject that bears a lock or points; empty: the session has none of that kind."""
    return _BEARERS[on](session, auth_user)


def locked_as(session: SessionRef) -> str:
    """The subject that a rule locks: who it is, if that is known, else where it comes from.

    The next subscriber who is given the address is not to blame; nor is everybody else behind a
    router whose address all of them have.
    """
    if session.identity:
        return identity_subject(session.identity)
    return counted_as(session.source.address)


def counted_as(address: str) -> str:
    """The subject whose sessions are counted together as one source's."""
    if ":" in address:
        return prefix_of(address, COUNTED_IPV6_PREFIX)
    return address_subject(address)


@lru_cache(maxsize=8192)
def prefix_of(address: str, length: int) -> str:
    """The prefix of ``length`` bits that ``address`` lies in."""
    return f"{PREFIX}{ip_network((ip_address(address).packed, length), strict=False)}"


def lies_in(address: str, prefix: str) -> bool:
    """Whether ``address`` lies in the subject ``prefix``; False when it is none."""
    family_and_length = length_of(prefix)
    if family_and_length is None:
        return False
    version, length = family_and_length
    return (6 if ":" in address else 4) == version and prefix_of(address, length) == prefix


def length_of(subject: str) -> tuple[int, int] | None:
    """(IP version, bits) of a prefix; None for a subject that is no prefix."""
    if not subject.startswith(PREFIX):
        return None
    try:
        network = ip_network(subject.removeprefix(PREFIX))
    except ValueError:
        return None
    return network.version, network.prefixlen


def _prefix_round(address: str) -> str:
    return prefix_of(address, COUNTED_IPV6_PREFIX if ":" in address else IPV4_NEIGHBOURS)


_BEARERS: Final[Mapping[On, Callable[[SessionRef, bytes], str]]] = {
    On.SOURCE: lambda session, _: locked_as(session),
    On.ADDRESS: lambda session, _: address_subject(session.source.address),
    On.PREFIX: lambda session, _: _prefix_round(session.source.address),
    On.IDENTITY: lambda session, _: identity_subject(session.identity) if session.identity else "",
    On.AUTH_USER: lambda _, auth_user: auth_subject(auth_user) if auth_user else "",
}
