"""``[spf]`` and ``[[dnsbl]]`` -> what is asked of the DNS."""

import re
from ipaddress import ip_address
from typing import Any, Final

from rulebook.dns import CLIENT, EGRESS, Dnsbl, Spf, WithoutAnswer
from rulebook.errors import RulebookError, shown
from rulebook.networks import NetworkSet
from rulebook.reading.fields import Table, at, choice, only, table, tables, texts

MOST_ZONES: Final = 32
LONGEST_ZONE: Final = 180
"""Octets; an IPv6 address in front of it takes 64 of the 253 that a name may have (RFC 5782)."""

_ZONE: Final = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63}){1,126}")


def read_spf(document: Table) -> Spf:
    entry = table(document, "spf")
    only(entry, ("address",), "spf")
    address = entry.get("address", CLIENT)
    if address in (CLIENT, EGRESS):
        return Spf(address)
    return Spf(at("spf.address", _address, address))


def read_dnsbl(document: Table) -> tuple[Dnsbl, ...]:
    zones: dict[str, Dnsbl] = {}
    for index, entry in enumerate(tables(document, "dnsbl", MOST_ZONES)):
        zone = _dnsbl(entry, f"dnsbl[{index}]")
        if zone.zone in zones:
            raise RulebookError(f"dnsbl[{index}].zone = '{zone.zone}': another has this zone")
        zones[zone.zone] = zone
    return tuple(zones.values())


def _dnsbl(entry: Table, place: str) -> Dnsbl:
    only(entry, ("zone", "answers", "on_failure"), place)
    zone = entry.get("zone")
    if not isinstance(zone, str) or len(zone) > LONGEST_ZONE or not _ZONE.fullmatch(zone):
        raise RulebookError(
            f"{place}.zone = {shown(zone)}: should be a domain in lower case, as dnsbl.example.org"
        )
    answers = entry.get("answers", ["127.0.0.0/8"])
    return Dnsbl(
        zone,
        at(f"{place}.answers", lambda value: NetworkSet.parse(texts(value)), answers),
        choice(WithoutAnswer, entry.get("on_failure", "unlisted"), f"{place}.on_failure"),
    )


def _address(value: Any) -> str:
    try:
        return str(ip_address(value if isinstance(value, str) else ""))
    except ValueError:
        raise RulebookError(
            f"{shown(value)} should be {CLIENT}, {EGRESS} or an IP address"
        ) from None
