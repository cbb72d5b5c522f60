"""What a test wants of a real mail server: its address, what it delivered, what it said."""

from contextlib import AbstractContextManager
from typing import Protocol

from service_kit.addresses import HostPort

DOMAIN = "far.example"
"""Every address of this domain is taken in and delivered to one mailbox."""


class FarSide(AbstractContextManager["FarSide"], Protocol):
    """Runs while it is entered, on a free port of loopback, with a folder of its own."""

    address: HostPort

    def messages(self) -> list[bytes]:
        """What was delivered, as the server keeps it, in no particular order."""
        ...

    def is_idle(self) -> bool:
        """Whether everything that was accepted has been delivered."""
        ...

    def log(self) -> str:
        """What it said."""
        ...
