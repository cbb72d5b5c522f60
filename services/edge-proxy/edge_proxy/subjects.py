"""What a session can be locked and counted by, in policy's spelling of subjects.

``address:192.0.2.1``, ``identity:subscriber-17``, ``prefix:192.0.2.0/24`` (canonical, no host
bits). A source lies in many prefixes, so prefixes are looked for by the lengths in use.
"""

from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Final

from smtpgated_contracts.values.mail import SessionRef
from smtpgated_contracts.values.policy import address_subject, identity_subject

PREFIX: Final = "prefix:"
IDENTITY: Final = identity_subject("")
COUNTED_IPV6_PREFIX: Final = 64
"""Per-source limits count an IPv6 source by its /64, as policy does (RFC 6177 §2)."""


def subjects_of(session: SessionRef) -> tuple[str, ...]:
    """Everything of a session that is locked by name."""
    address = address_subject(session.source.address)
    return (address, identity_subject(session.identity)) if session.identity else (address,)


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
