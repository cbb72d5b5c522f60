"""The RFC 7208 test suite (openspf.org), as pyspf's source archive carries it: ``make deps``."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import dns.message
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import yaml
from dns.rdtypes.ANY.TXT import TXT

from tests.support.name_server import NameServer, Odd, failing, rdata
from tests.support.needs import need_spf_suite

CASES: Final = 203


@dataclass(frozen=True)
class Case:
    name: str
    zone: dict[str, list[Any]]
    address: str
    helo: str
    sender: str
    results: tuple[str, ...]


def suite() -> list[Case]:
    text = need_spf_suite().read_text(encoding="utf-8")
    return [case for scenario in yaml.safe_load_all(text) for case in _cases(scenario)]


def _cases(scenario: dict[str, Any]) -> Iterator[Case]:
    for name, test in scenario["tests"].items():
        result = test["result"]
        yield Case(
            name,
            scenario["zonedata"],
            test["host"],
            test["helo"],
            test["mailfrom"],
            tuple(result) if isinstance(result, list) else (result,),
        )


def fill(server: NameServer, zone: dict[str, list[Any]]) -> None:
    """Instead of what ``server`` had."""
    server.records.clear()
    server.odd.clear()
    for name, entries in zone.items():
        found = [_rdata(kind, value) for kind, value in _records(entries)]
        server.records[name.lower()] = found
        if "TIMEOUT" in entries:
            server.odd[name.lower()] = _failing_but(server, {each.rdtype for each in found})


def _failing_but(server: NameServer, present: set[dns.rdatatype.RdataType]) -> Odd:
    """What is there is answered; the suite's TIMEOUT is a failure that needs no waiting."""

    def odd(query: dns.message.Message, by_tcp: bool) -> Sequence[bytes]:
        if query.question[0].rdtype in present:
            return [server.reply(query).to_wire()]
        return failing(query, by_tcp)

    return odd


def _records(entries: list[Any]) -> list[tuple[str, Any]]:
    """SPF records count as TXT ones where there is no TXT; "NONE" says that there is none."""
    pairs = [pair for entry in entries if isinstance(entry, dict) for pair in entry.items()]
    kinds = {kind for kind, _ in pairs}
    if "TXT" not in kinds:
        pairs += [("TXT", value) for kind, value in pairs if kind == "SPF"]
    return [(kind, value) for kind, value in pairs if kind != "SPF" and value != "NONE"]


def _rdata(kind: str, value: Any) -> dns.rdata.Rdata:
    if kind == "TXT":
        strings = [value] if isinstance(value, str) else value or [""]
        octets = [each.encode() for each in strings]
        return TXT(
            dns.rdataclass.IN, dns.rdatatype.TXT, [part for each in octets for part in _parts(each)]
        )
    if kind == "MX":
        return rdata("MX", f"{value[0]} {value[1]}.")
    return rdata(kind, value if kind in ("A", "AAAA") else f"{value.rstrip('.')}.")


def _parts(octets: bytes) -> list[bytes]:
    return [octets[at : at + 255] for at in range(0, len(octets), 255)] or [b""]
