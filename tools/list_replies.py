"""docs/replies.md: every reply the edge ever makes up itself, from ``relay/refusals.py``.

python tools/list_replies.py            print the page
python tools/list_replies.py --write    write docs/replies.md
python tools/list_replies.py --check    exit 1 when it is not what would be written
"""

import inspect
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from edge_proxy.relay import refusals
from edge_proxy.relay.refusals import Refusal

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "replies.md"

_HEADING: Final = re.compile(r"# (.+)")
_NAME: Final = re.compile(r"(\w+): Final = Refusal\(.*")

_HEAD: Final = """\
# The replies that are ours

Made by `tools/list_replies.py` from `edge_proxy/relay/refusals.py`; a test fails when it is old.

Everything else a client hears was said by the server it chose. Nothing here is ever a 250 for a
message. The enhanced status is left out where the server did not offer `ENHANCEDSTATUSCODES`;
`reply_name`, when configured, stands before the text; a rule's own reply replaces the text.
"""


def page() -> str:
    """The whole page, as markdown."""
    lines = [_HEAD]
    for heading, names in _sections():
        lines += [f"## {heading}", "", "| code | status | text | name |", "|---|---|---|---|"]
        lines += [_row(name, getattr(refusals, name)) for name in names]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _sections() -> Iterator[tuple[str, list[str]]]:
    """The headings that the source has as comments, and the names below each."""
    heading, names = "", list[str]()
    for line in inspect.getsource(refusals).splitlines():
        if found := _HEADING.fullmatch(line):
            if names:
                yield heading, names
            heading, names = found[1], []
        elif found := _NAME.fullmatch(line):
            names.append(found[1])
    yield heading, names


def _row(name: str, refusal: Refusal) -> str:
    return f"| {refusal.code} | {refusal.status} | {refusal.text} | `{name}` |"


def main(arguments: Sequence[str]) -> int:
    if list(arguments) == ["--write"]:
        PAGE.write_text(page(), encoding="utf-8")
    elif list(arguments) == ["--check"]:
        if PAGE.read_text(encoding="utf-8") != page():
            print(f"{PAGE} is out of date: python tools/list_replies.py --write", file=sys.stderr)
            return 1
    else:
        print(page(), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
