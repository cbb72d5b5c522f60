"""nftables rules that bring customers' connections to the edge, from its configuration.

Two ways. *tproxy* hands a connection to the edge as it is, and by itself lets it pass when no
edge listens: so a reject stands behind it, unless failing open was asked for. *redirect* (dnat,
where one address is listened at) rewrites the destination; nobody there, nobody connects.
A family for which the edge has no listener is refused: else IPv6 would be the way past the scan.

Loading them is one atomic step, again and again. No machine is asked here. Errors:
``ConfigError``, when the configuration cannot be rules.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final

from edge_proxy.config import EdgeSettings
from edge_proxy.destination_settings import Mode
from service_kit.addresses import HostPort
from service_kit.errors import ConfigError

_ON_THIS_MACHINE: Final[frozenset[Mode]] = frozenset({"fixed", "redirect", "tproxy"})
_ELSEWHERE: Final[frozenset[Mode]] = frozenset({"ident", "proxy-helper"})
_EVERY_ADDRESS: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared, not bound


@dataclass(frozen=True, slots=True)
class _Family:
    version: int
    keyword: str  # of its addresses in rules
    type: str  # of a set of them
    nfproto: str


_FAMILIES: Final = (_Family(4, "ip", "ipv4_addr", "ipv4"), _Family(6, "ip6", "ipv6_addr", "ipv6"))


def nftables_rules(settings: EdgeSettings) -> str:
    """A file for ``nft -f``."""
    mode = settings.destination.mode
    if mode not in _ON_THIS_MACHINE | _ELSEWHERE:
        raise ConfigError(
            f"[destination] mode = {mode}: nftables brings connections to an edge in the modes "
            f"{', '.join(sorted(_ON_THIS_MACHINE | _ELSEWHERE))}"
        )
    return "\n".join(_lines(_Plan(settings))) + "\n"


def listened_versions(settings: EdgeSettings) -> tuple[int, ...]:
    """Of IP, ascending. Raises ConfigError: a listener's name is no address."""
    taken = {version for each in settings.listen.addresses for version in _versions(each)}
    return tuple(sorted(taken))


class _Plan:
    """The settings as rules ask for them."""

    def __init__(self, settings: EdgeSettings) -> None:
        destination, self.router = settings.destination, settings.router
        self.mode: Final = destination.mode
        self.outgoing_mark: Final = destination.outgoing_mark
        self.tproxy: Final = destination.transparent
        redirected = destination.private_networks if destination.private == "redirect" else ()
        self.redirected: Final = redirected
        self.targets: Final = {
            family: _target(settings.listen.addresses, family) for family in _FAMILIES
        }
        if self.mode in _ELSEWHERE and any(_everywhere(each) for each in self.targets.values()):
            raise ConfigError(
                f"[listen] addresses: with mode {self.mode} the router must know which address "
                "of the edge to send to, not every one"
            )

    @property
    def which(self) -> str:
        """What matches a connection that is to be looked at."""
        interfaces = ", ".join(f'"{each}"' for each in self.router.interfaces)
        coming_in = f"iifname {{ {interfaces} }} " if interfaces else ""
        return coming_in + self.ports

    @property
    def ports(self) -> str:
        return f"tcp dport {{ {', '.join(map(str, self.router.ports))} }}"


def _lines(plan: _Plan) -> Iterator[str]:
    table = plan.router.table
    yield f"# Written by edge-proxy nft for mode {plan.mode}; load with nft -f."
    yield f"table inet {table}"
    yield f"delete table inet {table}"
    yield f"table inet {table} {{"
    for family in _FAMILIES:
        yield from _set(f"exempt{family.version}", family, plan.router.exempt_networks)
        yield from _set(f"private{family.version}", family, plan.redirected)
    if plan.tproxy:
        yield from _tproxy_chains(plan)
    if plan.redirected or not plan.tproxy:
        yield from _redirect_chains(plan)
    if not plan.tproxy:
        yield from _no_listener_chain(plan)
    yield "}"


def _tproxy_chains(plan: _Plan) -> Iterator[str]:
    mark = f"meta mark set {plan.router.mark:#x} accept"
    yield "  chain incoming {"
    yield "    type filter hook prerouting priority mangle; policy accept;"
    yield "    # What belongs to a connection of the edge stays here: servers' answers, too."
    yield f"    meta l4proto tcp socket transparent 1 socket wildcard 0 {mark}"
    yield from _own_mark(plan)
    yield f"    {plan.which} jump to_edge"
    yield "  }"
    yield "  chain to_edge {"
    yield from _exempt(plan)
    yield "    # This machine's own mail server could not answer a customer's address through us."
    yield "    fib daddr type local accept"
    for family in _networked(plan.redirected):
        yield f'    {family.keyword} saddr @private{family.version} accept comment "redirected"'
    for family, target in plan.targets.items():
        if target is not None:
            yield (
                f"    meta nfproto {family.nfproto} meta l4proto tcp "
                f"tproxy {family.keyword} to {_written(target, family)} {mark}"
            )
    if plan.router.fail_open:
        yield "    # fail_open: while no edge listens, mail passes unscanned."
    else:
        yield "    # While no edge listens tproxy does not match: nothing passes unscanned."
        yield "    meta l4proto tcp reject with tcp reset"
    yield "  }"


def _redirect_chains(plan: _Plan) -> Iterator[str]:
    yield "  chain incoming_nat {"
    yield "    type nat hook prerouting priority dstnat; policy accept;"
    yield from _own_mark(plan)
    yield f"    {plan.which} jump redirected"
    yield "  }"
    if plan.router.own_connections:
        yield "  chain outgoing_nat {"
        yield "    type nat hook output priority -100; policy accept;"
        users = ", ".join(map(str, plan.router.exempt_users))
        if users:
            yield f"    meta skuid {{ {users} }} accept"
        yield from _own_mark(plan)
        yield f'    oifname != "lo" {plan.ports} jump redirected'
        yield "  }"
    yield "  chain redirected {"
    yield from _exempt(plan)
    for family, target in plan.targets.items():
        if target is None:
            continue
        for source in _redirected_sources(plan, family):
            to = f":{target.port}" if _everywhere(target) else _written(target, family)
            verb = "redirect to" if _everywhere(target) else f"dnat {family.keyword} to"
            yield f"    {source} meta l4proto tcp {verb} {to}"
    yield "  }"


def _no_listener_chain(plan: _Plan) -> Iterator[str]:
    without = [family for family, target in plan.targets.items() if target is None]
    if not without:
        return
    yield "  chain no_listener {"
    yield "    type filter hook forward priority filter; policy accept;"
    yield from _own_mark(plan)
    yield from _exempt(plan)
    for family in without:
        yield "    # The edge does not listen for this family: nothing passes unscanned."
        yield f"    meta nfproto {family.nfproto} {plan.which} reject with tcp reset"
    yield "  }"


def _redirected_sources(plan: _Plan, family: _Family) -> Iterator[str]:
    if not plan.redirected:
        yield f"meta nfproto {family.nfproto}"
    elif family in _networked(plan.redirected):
        yield f"{family.keyword} saddr @private{family.version}"


def _own_mark(plan: _Plan) -> Iterator[str]:
    if plan.outgoing_mark:
        yield f'    meta mark {plan.outgoing_mark:#x} accept comment "the edge\'s own"'


def _exempt(plan: _Plan) -> Iterator[str]:
    for family in _networked(plan.router.exempt_networks):
        for end in ("saddr", "daddr"):
            yield f"    {family.keyword} {end} @exempt{family.version} accept"


def _set(
    name: str, family: _Family, networks: Iterable[IPv4Network | IPv6Network]
) -> Iterator[str]:
    elements = [str(each) for each in networks if each.version == family.version]
    if elements:
        yield f"  set {name} {{"
        yield f"    type {family.type}; flags interval; auto-merge;"
        yield f"    elements = {{ {', '.join(elements)} }}"
        yield "  }"


def _networked(networks: Iterable[IPv4Network | IPv6Network]) -> tuple[_Family, ...]:
    """The families that have one of these networks."""
    versions = {each.version for each in networks}
    return tuple(family for family in _FAMILIES if family.version in versions)


def _target(listening: Sequence[HostPort], family: _Family) -> HostPort | None:
    """Where this family's connections are sent; None: the edge does not take them."""
    return next((each for each in listening if family.version in _versions(each)), None)


def _versions(listening: HostPort) -> tuple[int, ...]:
    if listening.host == "::":
        return (4, 6)
    try:
        return (ip_address(listening.host).version,)
    except ValueError:
        raise ConfigError(
            f"[listen] addresses = {listening}: rules need an address, not a name"
        ) from None


def _everywhere(target: HostPort | None) -> bool:
    return target is not None and target.host in _EVERY_ADDRESS


def _written(target: HostPort, family: _Family) -> str:
    if _everywhere(target):
        return f":{target.port}"
    return str(target) if family.version == 6 else f"{target.host}:{target.port}"  # noqa: PLR2004
