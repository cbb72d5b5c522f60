"""One row a message: what was seen, and whether it is what must be."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from rich.markup import escape
from rich.table import Table

from lab.demo.cases import Case, Told, Verdict


class KeptMessage(Protocol):
    """What the far server has of a message."""

    @property
    def content(self) -> bytes: ...

    @property
    def under_tls(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Said:
    """What the farm says about one message: the verdict and what was found."""

    verdict: str
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """Everything seen of one message."""

    case: Case
    told: Told
    kept: KeptMessage | None
    said: Said | None

    @property
    def faults(self) -> tuple[str, ...]:
        """What is not as it must be; none: the row is right."""
        case = self.case
        verdict = self.said.verdict if self.said is not None else Verdict.UNREAD
        found = {
            f"the client had to be told {case.code}": self.told.code != case.code,
            f"the verdict had to be: {case.verdict}": verdict != case.verdict,
            "the far server had to keep it": case.must_be_kept and self.kept is None,
            "the far server had not to keep it": not case.must_be_kept and self.kept is not None,
            "it was not kept byte for byte": self.kept is not None
            and self.kept.content != case.sample.content,
            "it had to come under TLS": case.verdict is Verdict.UNREAD
            and self.kept is not None
            and not self.kept.under_tls,
        }
        return tuple(text for text, is_so in found.items() if is_so)


def table(rows: Iterable[Row]) -> Table:
    """For a terminal, or for a file."""
    shown = Table(title="what became of each message", title_justify="left")
    for heading in ("message", "the client was told", "the far server stored", "verdict"):
        shown.add_column(heading, overflow="fold")
    shown.add_column("time", justify="right", no_wrap=True)
    shown.add_column("", overflow="fold")
    for row in rows:
        shown.add_row(
            row.case.name,
            escape(f"{row.told.code} {row.told.text}"),
            _stored(row),
            escape(_verdict(row)),
            f"{row.told.spent_ms:.0f} ms",
            f"[red]{'; '.join(row.faults)}[/red]" if row.faults else "[green]right[/green]",
        )
    return shown


def _stored(row: Row) -> str:
    if row.kept is None:
        return "nothing"
    same = "byte for byte" if row.kept.content == row.case.sample.content else "NOT the same"
    return f"{len(row.kept.content)} octets, {same}"


def _verdict(row: Row) -> str:
    if row.said is None:
        return "not read (tunnel)"
    return "\n".join((row.said.verdict, *row.said.findings))
