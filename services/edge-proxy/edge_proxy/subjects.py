"""What a session can be locked and counted by, in policy's spelling of subjects.

``address:192.0.2.1``, ``identity:subscriber-17``, ``auth:user@example.net``,
``prefix:192.0.2.0/24`` (canonical, no host bits). A source lies in many prefixes, so prefixes
are looked for by the lengths in use.
"""

from ipaddress import ip_network
from typing import Final

from rulebook.bearers import auth_subject, prefix_of
from smtpgated_contracts.values.mail import SessionRef
from smtpgated_contracts.values.policy import address_subject, identity_subject

PREFIX: Final = "prefix:"
IDENTITY: Final = identity_subject("")


def subjects_of(session: SessionRef, auth_user: bytes = b"") -> tuple[str, ...]:
    """Everything of a session that is locked by name."""
    names = (
        address_subject(session.source.address),
        identity_subject(session.identity) if session.identity else "",
        auth_subject(auth_user) if auth_user else "",
    )
    return tuple(name for name in names if name)


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
