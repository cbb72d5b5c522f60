"""``[router]``: how customers' connections are brought to the edge.

Read by ``edge-proxy nft``, which writes it as rules, and ``edge-proxy check``, which looks
whether they are in force; the running edge does not need it.
"""

from typing import Annotated, Final

from pydantic import Field, IPvAnyNetwork

from service_kit.config import Settings

# linux/if.h: 15 octets; the star is nftables' wildcard. Nothing that could end a quoted name.
Interface = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.@-]{1,15}\*?$")]
Port = Annotated[int, Field(ge=1, le=65_535)]
UserId = Annotated[int, Field(ge=0, le=0xFFFF_FFFE)]
_MAIN_TABLES: Final = 252


class RouterSettings(Settings):
    interfaces: tuple[Interface, ...] = ()
    """Where customers' connections come in (``lan*`` is every one that begins so); empty: anywhere.
    """
    ports: tuple[Port, ...] = Field(default=(25,), min_length=1)
    """Ports of servers that are intercepted; 587 too, where submission is to be scanned."""
    exempt_networks: tuple[IPvAnyNetwork, ...] = ()
    """Sources and destinations that are left alone."""
    fail_open: bool = False
    """With mode tproxy, while no edge listens: true lets mail pass unscanned, false refuses it."""
    own_connections: bool = False
    """With modes fixed and redirect: this machine's own connections too."""
    exempt_users: tuple[UserId, ...] = ()
    """With own_connections: numbers of users whose connections are left alone; the edge's own."""
    table: str = Field(default="smtp_gated", pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,30}$")
    """Name of the nftables table (family inet)."""
    mark: int = Field(default=1, ge=1, le=0xFFFF_FFFF)
    """With mode tproxy: the firewall mark of connections that end here."""
    route_table: int = Field(default=100, ge=1, le=_MAIN_TABLES)
    """With mode tproxy: number of the routing table for that mark."""
