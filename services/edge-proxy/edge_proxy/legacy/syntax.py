"""From the text of a smtp-gated.conf to its directives, and the errors it can have.

One directive a line: name, blanks, value to the end of the line, blanks at the end cut. Quotes
are part of the value, lines do not continue. Lines that begin with ``#`` or ``;`` say nothing.
"""

from dataclasses import dataclass

BLANKS = " \t\r\v\f"


@dataclass(frozen=True, slots=True)
class Directive:
    line: int
    name: str
    value: str


class LegacyError(Exception):
    """``problems``: a sentence each, with line and directive."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def read(text: str) -> list[Directive]:
    """In the order of the file; a name may come again, the last one holds."""
    directives = []
    for number, line in enumerate(text.split("\n"), 1):
        said = line.strip(BLANKS)
        if not said or said[0] in "#;":
            continue
        name = said.split(maxsplit=1)[0] if said.split() else said
        directives.append(Directive(number, name, said[len(name) :].strip(BLANKS)))
    return directives
