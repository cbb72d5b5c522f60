"""What a subject bears: of a rule, of a rate, and by ``[sanctions]`` of what no rule answers."""

from dataclasses import dataclass

from rulebook.reading.fields import Table, choice, count, only, points, table
from rulebook.rules import Offence, On, Sanction


@dataclass(frozen=True, slots=True)
class Burden:
    """``lock_s``, ``points`` and ``on`` of a table."""

    lock_s: int
    points: float
    on: On


def read_burden(entry: Table, place: str) -> Burden:
    return Burden(
        lock_s=count(entry, "lock_s", 0, place),
        points=points(entry, "points", 0.0, place),
        on=choice(On, entry.get("on", On.SOURCE), f"{place}.on"),
    )


def read_sanctions(document: Table) -> dict[Offence, Sanction]:
    entry = table(document, "sanctions")
    only(entry, frozenset(Offence), "sanctions")
    sanctions = {}
    for offence in Offence:
        if offence in entry:
            place = f"sanctions.{offence}"
            given = table(entry, offence, "sanctions")
            only(given, ("lock_s", "points", "on"), place)
            burden = read_burden(given, place)
            sanctions[offence] = Sanction(offence, burden.on, burden.lock_s, burden.points)
    return sanctions
