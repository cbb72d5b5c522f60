"""docs/phases.md from the tables of the relay core: a diagram and a table of its phases.

python tools/draw_phases.py            print the page
python tools/draw_phases.py --write    write docs/phases.md
python tools/draw_phases.py --check    exit 1 when it is not what would be written
"""

import inspect
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from edge_proxy.relay import phases
from edge_proxy.relay.phases import PATIENCE, PATIENCE_FOR_THE_END, TRANSITIONS, Phase
from edge_proxy.relay.session import READERS

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "phases.md"

_MEANING: Final = re.compile(r'^    (\w+) = "[\w-]+"(?:  # (?:barrier: )?(.+))?$', re.MULTILINE)
_PROVENANCE: Final = re.compile(r"^    Phase\.(\w+): [\d.]+,  # (.+)$", re.MULTILINE)

_HEAD: Final = """\
# The phases of a session

Made by `tools/draw_phases.py` from `edge_proxy/relay/phases.py`; a test fails when it is old.

A phase says what the next octets of the client *are*. In a phase that is a **barrier** nobody can
know yet: the octets wait, unread, until the server, the scanner or policy has spoken. All that
changes a phase is in this diagram; besides, every phase may end in `closed`.
"""
_TAIL: Final = """
**Patience** is how long a phase may last without a step forward. While the answer to an end of
content is owed, the server has {end:.0f} s whatever the phase (RFC 5321 §4.5.3.2.6). How each end
looks to client and server: [failure-stances.md](failure-stances.md); octet by octet:
[tests/transcripts](../tests/transcripts/README.md).
"""


def page() -> str:
    """The whole page, as markdown."""
    return "\n".join((_HEAD, *_diagram(), "", *_table(), _TAIL.format(end=PATIENCE_FOR_THE_END)))


def _diagram() -> list[str]:
    names = [f'    state "{phase.value}" as {phase.name}' for phase in Phase]
    first, *_ = Phase
    ways = [
        f"    {at.name} --> {to.name}: {cause.value}" for (at, cause), to in TRANSITIONS.items()
    ]
    leaves = [phase for phase in Phase if phase not in {at for at, _ in TRANSITIONS}]
    ends = [f"    {phase.name} --> CLOSED" for phase in leaves if phase is not Phase.CLOSED]
    return [
        "```mermaid",
        "stateDiagram-v2",
        *names,
        f"    [*] --> {first.name}",
        *ways,
        *ends,
        "    CLOSED --> [*]",
        "```",
    ]


def _table() -> list[str]:
    source = inspect.getsource(phases)
    meanings = {
        name: meaning for name, meaning in _MEANING.findall(source) if name in Phase.__members__
    }
    provenance = dict(_PROVENANCE.findall(source))
    rows = [
        "| phase | the next octets, or what is awaited | read by | patience |",
        "|---|---|---|---|",
    ]
    for phase in Phase:
        reader = READERS.get(phase)
        read_by = f"`{reader.__name__}`" if reader else "nobody" if _ends(phase) else "barrier"
        why = provenance.get(phase.name, "")
        patience = f"{PATIENCE[phase]:.0f} s" + (f" ({why})" if why else "")
        meaning = meanings.get(phase.name) or "none any more"
        rows.append(f"| {phase.value} | {meaning} | {read_by} | {patience} |")
    return rows


def _ends(phase: Phase) -> bool:
    return phase in (Phase.TUNNEL, Phase.CLOSED)


def main(arguments: Sequence[str]) -> int:
    if list(arguments) == ["--write"]:
        PAGE.write_text(page(), encoding="utf-8")
    elif list(arguments) == ["--check"]:
        if PAGE.read_text(encoding="utf-8") != page():
            print(f"{PAGE} is out of date: python tools/draw_phases.py --write", file=sys.stderr)
            return 1
    else:
        print(page(), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
