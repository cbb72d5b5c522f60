"""What the rules want to know from the DNS, and how."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from rulebook.networks import NetworkSet

CLIENT: Final = "client"
EGRESS: Final = "egress"


@dataclass(frozen=True, slots=True)
class Spf:
    """Whose right to send is asked about (RFC 7208): CLIENT, EGRESS, or one fixed address.

    CLIENT is the source; EGRESS what servers see of it, which is another address behind NAT.
    """

    address: str = CLIENT

    def of(self, client: str, egress: str) -> str:
        """The address to ask about; empty: ``egress`` is asked for and not known."""
        return {CLIENT: client, EGRESS: egress}.get(self.address, self.address)


class WithoutAnswer(StrEnum):
    """What a source counts as when its DNSBL zone does not answer."""

    UNLISTED = "unlisted"
    LISTED = "listed"


@dataclass(frozen=True, slots=True)
class Dnsbl:
    """A zone that lists addresses (RFC 5782). Only an answer among ``answers`` counts."""

    zone: str
    answers: NetworkSet = field(default_factory=lambda: NetworkSet.parse(["127.0.0.0/8"]))
    on_failure: WithoutAnswer = WithoutAnswer.UNLISTED
