"""What an edge asks policy about a session, beyond its leases. ``profiles`` are limit profiles."""

from dataclasses import dataclass

from smtpgated_contracts.values.mail import Envelope, SessionRef


@dataclass(frozen=True, slots=True)
class SessionAsked:
    """May this session be? A lease is taken."""

    session: SessionRef
    profiles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MailAsked:
    """May this MAIL be relayed? Nothing is spent; ``envelope`` has no recipients yet.

    ``egress_address`` is what the server sees as the client's; empty: not known.
    ``declared_octets``: SIZE of MAIL (RFC 1870); 0: not declared.
    """

    session: SessionRef
    transaction: int
    envelope: Envelope
    profiles: tuple[str, ...] = ()
    wants_spf: bool = False
    egress_address: str = ""
    declared_octets: int = 0


@dataclass(frozen=True, slots=True)
class DataAsked:
    """May the content follow? One message and its recipients are spent, all or nothing."""

    session: SessionRef
    transaction: int
    envelope: Envelope
    profiles: tuple[str, ...] = ()
    declared_octets: int = 0
