"""In which line of a TOML document ``rules[73]`` begins: its reader does not tell.

Headers are counted in the text. Where tables are written otherwise, as in JSON, there is no line.
"""

import re
from itertools import islice
from typing import Final

from rulebook.errors import RulebookError

_LISTED: Final = re.compile(r"(\w+)\[(\d+)\]")


def located(error: RulebookError, text: str) -> RulebookError:
    """The same error, with the line of its table in front where that can be told."""
    found = _LISTED.match(str(error))
    if found is None:
        return error
    headers = re.finditer(rf"^[ \t]*\[\[[ \t]*{found[1]}[ \t]*\]\]", text, re.MULTILINE)
    header = next(islice(headers, int(found[2]), None), None)
    if header is None:
        return error
    return RulebookError(f"line {text.count(chr(10), 0, header.start()) + 1}: {error}")
