"""Tables under ``[destination]`` for the ways of finding out that ask somebody else."""

from pathlib import Path
from typing import Final

from pydantic import Field, IPvAnyNetwork

from service_kit.config import Settings

IDENT_PORT: Final = 114
"""Where the old program asked, both for ident and for the proxy-helper."""


class IdentSettings(Settings):
    peers: tuple[IPvAnyNetwork, ...] = Field(min_length=1)
    """Routers that are asked and believed; clients from elsewhere are refused."""
    port: int = Field(default=IDENT_PORT, ge=1, le=65_535)
    """TCP port of the patched ident daemon on the router."""


class ProxyHelperSettings(Settings):
    peers: tuple[IPvAnyNetwork, ...] = Field(min_length=1)
    """Routers that are asked and believed; clients from elsewhere are refused."""
    port: int = Field(default=IDENT_PORT, ge=1, le=65_535)
    """UDP port of the proxy-helper on the router."""
    attempts: int = Field(default=3, ge=1, le=20)
    """How often a router is asked before it has not answered."""
    attempt_timeout_s: float = Field(default=3.0, gt=0, le=60)
    """Seconds to wait for an answer each time."""
    secret_file: Path | None = None
    """File with the secret in each question: a number up to 4294967295, or 0x and hex digits."""
    check_secret: bool = False
    """Believe an answer only if it carries the secret, too; the old daemon's do not."""


class ProxyProtocolSettings(Settings):
    peers: tuple[IPvAnyNetwork, ...] = Field(min_length=1)
    """Load balancers that are believed; clients from elsewhere are refused."""


class PfSettings(Settings):
    device: Path = Path("/dev/pf")
    """Must be readable for the edge's user."""


class IpFilterSettings(Settings):
    device: Path = Path("/dev/ipnat")
    """Must be readable for the edge's user."""
    version: int = Field(default=5_010_200, ge=4_000_027, le=5_999_999)
    """Of IPFilter, as ``ipf -V`` says it: v5.1.2 is 5010200, v4.1.34 is 4013400."""
