"""docs/desync-matrix.md from a run of the desync matrix against real servers.

python -m tools.write_desync_matrix            run it and print the page
python -m tools.write_desync_matrix --write    run it and write docs/desync-matrix.md

The run takes about a minute, needs root and the servers (make deps). That the page is what a
run gives is tested: tests/e2e/02-desync.
"""

import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

import uvloop

from tests.support.desync.far_sides import FAR_SIDES
from tests.support.desync.outcomes import Outcome
from tests.support.desync.run import Column, run_column
from tests.support.desync.sequences import SEQUENCES, Tempo

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "desync-matrix.md"

_HEAD: Final = """\
# The desync matrix

Made by `tools/write_desync_matrix.py` from a run against real servers; a test fails when a fresh
run gives another page.

SMTP content ends at a line that is a dot alone: CRLF `.` CRLF. Where two programs on a message's
way disagree about what else is such a line, one of them sees *one* message whose text happens to
look like SMTP commands, the other one sees *two* messages. The second was never looked at by the
first: it was **smuggled**. For a scanner between client and server this would be fatal, so each
row here is an attempt. A message is sent whose text ends in the row's octets, and behind them
stand the commands and the text of a second message. Each cell tells what came of it: *directly*,
with nothing but the server → *through the edge*, with the same server behind it.

| in a cell | means |
|---|---|
| `1` | one message was delivered: nothing in it ended it |
| `2` | two messages were delivered, rightly: both ends are real ones |
| **`2!`** | the second message was **smuggled** |
| **`0+1!`** | so it was, and the first one was thrown away |
| `521` | nothing was delivered: the edge refused *ambiguous content* |
| `0` | nothing was delivered: the server refused what it was sent |
| `·` | not tried: the server does not offer BDAT |
| `≠` | delivered, but not as it was scanned; line ends and blanks apart |

Through the edge, every message delivered was seen by a scanner first, from its first octet to its
last, and was found clean; what the scanner saw is compared with what the server stored. `≠` is
left for Haraka, which keeps a single dot at the head of a line that all others drop (RFC 5321
§4.5.2); clients that stuff as they must never send one.

Ends are not all that is read in two ways. Servers *mend* lines: Postfix, unless strict, and
OpenSMTPD drop a dot behind a bare LF; Postfix, even when strict, and OpenSMTPD drop the second CR
of CRCRLF; OpenSMTPD forgets what stands between a NUL and the end of its line. Then a line that
was text to the scanner is a boundary of MIME behind the server, and the attachment was never
judged. So the edge refuses a CR without its LF, a NUL, and a dot behind a bare LF, wherever they
stand; `tests/e2e/02-desync/test_mended_structure.py` shows with a real clamd that nothing passes
that way. A bare LF alone, to all but Exim a line end, passes, unless `smtp.bare_lf = "refuse"`.

In a chunk of BDAT (RFC 3030) the size alone says where content ends: dots mean nothing there. But
without BINARYMIME chunks are lines too, and are mended like others.

Rows are named by what stands before and behind the dot; `none` is nothing, `text` a letter.
Columns are:

"""

_TAIL: Final = """
How the edge reads is in [content.py](../services/edge-proxy/edge_proxy/smtp/content.py), and octet
by octet in [tests/transcripts/smuggling](../tests/transcripts/README.md). The same run again:
`make desync`.
"""


def page(columns: Sequence[Column]) -> str:
    """The whole page, as markdown."""
    legend = [f"* **{name}**: {far_side.about}" for name, far_side in FAR_SIDES.items()]
    return _HEAD + "\n".join((*legend, *_tables(columns))) + "\n" + _TAIL


def _tables(columns: Sequence[Column]) -> list[str]:
    lines: list[str] = []
    for variant, rows in groupby(range(len(SEQUENCES)), lambda row: SEQUENCES[row].variant):
        lines += ["", f"## {variant[0].upper()}{variant[1:]}", ""]
        lines += ["| | " + " | ".join(each.far_side for each in columns) + " |"]
        lines += ["|---|" + "---|" * len(columns)]
        for row in rows:
            cells = (f"{_cell(each.direct[row])} → {_cell(each.through[row])}" for each in columns)
            lines.append(f"| {SEQUENCES[row].name} | " + " | ".join(cells) + " |")
    return lines


def _cell(outcome: Outcome) -> str:
    if not outcome.delivered:
        if outcome.sequence.tempo is Tempo.IN_A_CHUNK and not outcome.codes:
            return "·"
        return "521" if outcome.codes[:1] == (521,) else "0"
    count = f"{len(outcome.delivered)}" if outcome.outer else f"0+{len(outcome.inner)}"
    if outcome.smuggled:
        return f"**{count}!**"
    return count + " ≠" * bool(outcome.unscanned)


def main(arguments: Sequence[str]) -> int:
    found = page([uvloop.run(run_column(name, SEQUENCES)) for name in FAR_SIDES])
    if list(arguments) == ["--write"]:
        PAGE.write_text(found, encoding="utf-8")
    else:
        print(found, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
