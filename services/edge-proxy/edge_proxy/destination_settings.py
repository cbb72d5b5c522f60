"""``[destination]``: how the edge finds out where a connection was going, and goes there."""

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Final, Literal, Self

from pydantic import Field, IPvAnyNetwork, model_validator

from edge_proxy.interception_settings import (
    IdentSettings,
    IpFilterSettings,
    PfSettings,
    ProxyHelperSettings,
    ProxyProtocolSettings,
)
from service_kit.addresses import HostPort
from service_kit.config import Settings

Mode = Literal[
    "fixed",
    "redirect",
    "tproxy",
    "getsockname",
    "pf",
    "ipfilter",
    "ident",
    "proxy-helper",
    "proxy-protocol",
]

PRIVATE_NETWORKS: Final = tuple(
    ip_network(each)
    # RFC 1918, RFC 3927, RFC 6598 (a carrier's NAT), RFC 4193
    for each in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "100.64.0.0/10",
        "fc00::/7",
    )
)


class DestinationSettings(Settings):
    mode: Mode = "fixed"
    """fixed: all to ``server``; redirect: SO_ORIGINAL_DST (nftables redirect or dnat); tproxy:
    nftables tproxy, the server sees the client's own address; getsockname, pf, ipfilter: the BSDs;
    ident, proxy-helper: the router is asked; proxy-protocol: a load balancer's header."""
    server: HostPort | None = None
    """With mode fixed: where to."""
    private: Literal["tproxy", "redirect"] = "tproxy"
    """With mode tproxy: how the router sends us clients of ``private_networks``; redirect: their
    servers see our address, since their own is of no use outside."""
    private_networks: tuple[IPvAnyNetwork, ...] = Field(default=PRIVATE_NETWORKS, min_length=1)
    """With private = redirect: which sources those are."""
    pre_nat: bool = False
    """Ask this machine's conntrack for the source's address before its NAT (CAP_NET_ADMIN)."""
    outgoing_address: str = ""
    """Local address of upstream connections; empty: the system's choice."""
    outgoing_mark: int = Field(default=0, ge=0, le=0xFFFF_FFFF)
    """SO_MARK of upstream connections, which the router's rules let pass (CAP_NET_ADMIN); 0: none.
    """
    lookup_timeout_s: float = Field(default=10.0, gt=0, le=60)
    """Seconds to find out where a connection was going, every attempt included."""
    connect_timeout_s: float = Field(default=30.0, gt=0, le=300)
    """Seconds to reach the server."""
    introduce: Literal["none", "xclient", "proxy-v2"] = "none"
    """With mode fixed: how ``server`` is told who the client is. xclient: XCLIENT, if it offers
    that; proxy-v2: a PROXY protocol header before everything else."""
    xclient_login: bool = False
    """With introduce = xclient: say the identity as LOGIN; the server takes such a client for one
    that has authenticated, and may relay for it."""
    identity_tlv: int | None = Field(default=None, ge=0xE0, le=0xEF)
    """Type of the PROXY v2 TLV that carries the client's identity, in and out; none: none does."""
    ident: IdentSettings | None = None
    """With mode ident."""
    proxy_helper: ProxyHelperSettings | None = None
    """With mode proxy-helper."""
    proxy_protocol: ProxyProtocolSettings | None = None
    """With mode proxy-protocol: the header says who came and where to. With mode fixed: every
    connection begins with a header, too, and it says who came."""
    pf: PfSettings = PfSettings()
    """With mode pf."""
    ipfilter: IpFilterSettings = IpFilterSettings()
    """With mode ipfilter."""

    @property
    def transparent(self) -> bool:
        """Whether sockets for other machines' addresses are needed (IP_TRANSPARENT)."""
        return self.mode == "tproxy"

    @model_validator(mode="after")
    def _server_goes_with_fixed(self) -> Self:
        if self.mode == "fixed" and self.server is None:
            raise ValueError('mode fixed needs server = "host:port"')
        if self.mode != "fixed" and self.server is not None:
            raise ValueError(f"server is for mode fixed, not for mode {self.mode}")
        return self

    @model_validator(mode="after")
    def _private_goes_with_tproxy(self) -> Self:
        if self.private == "redirect" and self.mode != "tproxy":
            raise ValueError(f'private = "redirect" is for mode tproxy, not for mode {self.mode}')
        return self

    @model_validator(mode="after")
    def _introduced_to_fixed(self) -> Self:
        if self.introduce != "none" and self.mode != "fixed":
            raise ValueError(
                f'introduce = "{self.introduce}" is for mode fixed, not for mode {self.mode}'
            )
        return self

    @model_validator(mode="after")
    def _who_is_asked_is_named(self) -> Self:
        for key, modes in _TABLE_OF.items():
            given = getattr(self, key) is not None
            if self.mode == modes[0] and not given:
                raise ValueError(f"mode {self.mode} needs the table [destination.{key}] with peers")
            if given and self.mode not in modes:
                raise ValueError(f"{key} is for mode {' or '.join(modes)}, not {self.mode}")
        return self

    @model_validator(mode="after")
    def _attempts_end_in_time(self) -> Self:
        asking = self.proxy_helper
        if asking and asking.attempts * asking.attempt_timeout_s > self.lookup_timeout_s:
            raise ValueError(
                f"proxy_helper.attempts = {asking.attempts} of attempt_timeout_s ="
                f" {asking.attempt_timeout_s} last longer than lookup_timeout_s ="
                f" {self.lookup_timeout_s}"
            )
        return self


_TABLE_OF: Final[Mapping[str, tuple[Mode, ...]]] = {
    "ident": ("ident",),
    "proxy_helper": ("proxy-helper",),
    "proxy_protocol": ("proxy-protocol", "fixed"),
}
"""The table that a mode needs; the other modes it goes with."""
