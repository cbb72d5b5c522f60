"""What a configuration needs of its router, one finding each: there, missing, how to repair.

Run where and as whom the edge runs: capabilities and namespaces are those of this process.
Reads; changes nothing. Errors: ``ConfigError``, as ``rules``.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from edge_proxy.config import EdgeSettings
from edge_proxy.router.machine import Machine
from edge_proxy.router.rules import nftables_rules

_NET_ADMIN: Final = 1 << 12
_NET_RAW: Final = 1 << 13
_EVERY_ADDRESS: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared, not bound
_CHAIN: Final = re.compile(r"^\s*chain (\w+) \{", re.MULTILINE)
_TARGET: Final = re.compile(r"(?:redirect|tproxy|dnat)\b[^\n]*? to \S*:\d+")
_NFT: Final = "edge-proxy nft -c FILE | nft -f -"
_IP_RULES: Final = "edge-proxy nft -c FILE --ip-rules | sh"


class State(Enum):
    OK = "ok"
    MISSING = "missing"
    DOUBTFUL = "doubtful"  # it may work, or not, as the rest of the network is
    UNKNOWN = "unknown"  # it cannot be found out from here


@dataclass(frozen=True, slots=True)
class Finding:
    """``found``: what is the case; ``repair``: what to do, empty when nothing is."""

    what: str
    state: State
    found: str
    repair: str = ""


_Check = Callable[[EdgeSettings, Machine], Iterator[Finding]]


def preflight(settings: EdgeSettings, machine: Machine) -> tuple[Finding, ...]:
    return tuple(finding for check in _checks(settings) for finding in check(settings, machine))


def _checks(settings: EdgeSettings) -> Iterator[_Check]:
    destination = settings.destination
    redirected = destination.mode == "redirect" or destination.private == "redirect"
    if destination.transparent or destination.outgoing_mark:
        yield _capability
    if destination.transparent:
        yield from (_source_validation, _reverse_path, _policy_routes)
    if destination.mode in ("fixed", "redirect", "tproxy"):
        yield _rules
    if redirected:
        yield _conntrack_there
    if destination.pre_nat:
        yield _conntrack_answers
    if destination.outgoing_mark:
        yield _marks_are_seen
    yield from (_listening, _loop)


def _capability(_settings: EdgeSettings, machine: Machine) -> Iterator[Finding]:
    held = machine.capabilities() & (_NET_ADMIN | _NET_RAW)
    yield _either(
        "capability CAP_NET_ADMIN",
        held,
        "this process has it" if held else "this process has it not; is it run as the edge is?",
        "AmbientCapabilities=CAP_NET_ADMIN (systemd), --cap-add NET_ADMIN (container)",
    )


def _source_validation(_settings: EdgeSettings, machine: Machine) -> Iterator[Finding]:
    """With it the kernel looks a source up with our mark, finds it to be here, and drops."""
    wrong = _interfaces_with(machine, "src_valid_mark", "1")
    yield _either(
        "src_valid_mark",
        not wrong,
        f"1 for {', '.join(wrong)}: IPv4 connections with the mark are dropped" if wrong else "0",
        " ".join(f"sysctl -w net.ipv4.conf.{each}.src_valid_mark=0;" for each in wrong),
    )


def _reverse_path(_settings: EdgeSettings, machine: Machine) -> Iterator[Finding]:
    strict = _interfaces_with(machine, "rp_filter", "1")
    if not strict:
        yield Finding("rp_filter", State.OK, "not strict")
        return
    yield Finding(
        "rp_filter",
        State.DOUBTFUL,
        f"strict for {', '.join(strict)}: drops whom the routes say to be on another interface",
        "sysctl -w net.ipv4.conf.INTERFACE.rp_filter=2, where customers or servers come in "
        "by another way than they are reached",
    )


def _interfaces_with(machine: Machine, name: str, value: str) -> list[str]:
    places = dict.fromkeys(("all", *machine.interfaces()))
    return [each for each in places if machine.sysctl(f"net.ipv4.conf.{each}.{name}") == value]


def _policy_routes(settings: EdgeSettings, machine: Machine) -> Iterator[Finding]:
    router = settings.router
    for name, family in (("IPv4", "-4"), ("IPv6", "-6")):
        what = f"{name} rule for mark {router.mark:#x}"
        rules = _listed(machine.said("ip", "-j", family, "rule", "show"))
        routes = _listed(
            machine.said("ip", "-j", family, "route", "show", "table", str(router.route_table))
        )
        if rules is None:
            yield Finding(what, State.UNKNOWN, "ip cannot be asked", _IP_RULES)
            continue
        tables = [str(each.get("table")) for each in rules if _is_mark(each, router.mark)]
        ours = str(router.route_table)
        others = [each for each in tables if each != ours]
        found = f"looks up table {', '.join(tables)}" if tables else "none"
        yield _either(what, tables[:1] == [ours] and not others, found, _rule_repair(others))
        local = any(
            each.get("type") == "local" and each.get("dst") == "default" for each in routes or ()
        )
        what = f"{name} local route in table {ours}"
        yield _either(what, local, "there" if local else "none", _IP_RULES)


def _rule_repair(others: list[str]) -> str:
    if others:
        return f"somebody else uses the mark for table {others[0]}: choose another [router] mark"
    return _IP_RULES


def _is_mark(rule: dict[str, object], mark: int) -> bool:
    try:
        return int(str(rule.get("fwmark", "")), 0) == mark
    except ValueError:
        return False


def _listed(text: str | None) -> list[dict[str, object]] | None:
    """What ``ip -j`` printed; older ones print nothing where there is nothing."""
    if text is None:
        return None
    try:
        listed = json.loads(text or "[]")
    except ValueError:
        return None
    return [each for each in listed if isinstance(each, dict)]


def _rules(settings: EdgeSettings, machine: Machine) -> Iterator[Finding]:
    table = settings.router.table
    what, wanted = f"nftables table inet {table}", nftables_rules(settings)
    if machine.said("nft", "list", "tables") is None:
        yield Finding(what, State.UNKNOWN, "nft cannot be asked", _NFT)
        return
    there = machine.said("nft", "list", "table", "inet", table)
    if there is None:
        yield Finding(what, State.MISSING, "not loaded", _NFT)
        return
    missing = [
        *(f"chain {each}" for each in _lacking(_CHAIN, wanted, there)),
        *_lacking(_TARGET, wanted, there),
    ]
    if settings.destination.transparent and not settings.router.fail_open:
        missing += ["the reject that fails closed"] if "reject" not in there else []
    found = f"without {', '.join(missing)}" if missing else "loaded"
    yield _either(what, not missing, found, _NFT)


def _lacking(kind: re.Pattern[str], wanted: str, there: str) -> Iterable[str]:
    present = set(kind.findall(there))
    return [each for each in dict.fromkeys(kind.findall(wanted)) if each not in present]


def _conntrack_there(_settings: EdgeSettings, machine: Machine) -> Iterator[Finding]:
    there = machine.sysctl("net.netfilter.nf_conntrack_max") is not None
    found = "there" if there else "not loaded: original destinations cannot be found"
    yield _either("connection tracking", there, found, "modprobe nf_conntrack")


def _conntrack_answers(_settings: EdgeSettings, machine: Machine) -> Iterator[Finding]:
    trouble = machine.conntrack_trouble()
    cure = "give the edge CAP_NET_ADMIN; modprobe nf_conntrack_netlink"
    yield _either("asking conntrack (pre_nat)", trouble is None, trouble or "answers", cure)


def _marks_are_seen(_settings: EdgeSettings, machine: Machine) -> Iterator[Finding]:
    if machine.sysctl("net.ipv4.tcp_fwmark_accept") == "1":
        yield Finding("tcp_fwmark_accept", State.OK, "1")
        return
    yield Finding(
        "tcp_fwmark_accept",
        State.DOUBTFUL,
        "0: a connection of our own that rules bring back is not recognised",
        "sysctl -w net.ipv4.tcp_fwmark_accept=1",
    )


def _listening(settings: EdgeSettings, machine: Machine) -> Iterator[Finding]:
    listening = machine.listening()
    for address in settings.listen.addresses:
        there = address in listening
        found = "somebody does" if there else "nobody does"
        cure = "start the edge"
        if address.host not in _EVERY_ADDRESS and not machine.is_own(address.host):
            found, cure = f"{address.host} is not an address of this machine", "ip addr add …"
        yield _either(f"listening at {address}", there, found, cure)


def _loop(settings: EdgeSettings, machine: Machine) -> Iterator[Finding]:
    server = settings.destination.server
    if server is None:
        return
    ports = {each.port for each in settings.listen.addresses}
    loops = server.port in ports and machine.is_own(server.host)
    found = f"{server} is this machine, where the edge listens" if loops else f"{server} is not us"
    yield _either("no loop", not loops, found, "another [destination] server")


def _either(what: str, there: object, found: str, repair: str) -> Finding:
    """``repair`` is for when it is not there."""
    if there:
        return Finding(what, State.OK, found)
    return Finding(what, State.MISSING, found, repair)
