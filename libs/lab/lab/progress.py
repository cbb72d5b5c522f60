"""One line on stderr that says what is being waited for; gone when there is nothing to wait for.

On a terminal it is rewritten in place; elsewhere every new text is a line of its own.
"""

import contextlib
import sys
from collections.abc import Callable, Iterator

_CLEAR_LINE = "\r\033[K"


@contextlib.contextmanager
def progress_line() -> Iterator[Callable[[str], None]]:
    """Call it with a text to show, or with an empty one to show none."""
    shown = ""

    def show(text: str) -> None:
        nonlocal shown
        if text == shown:
            return
        shown = text
        if sys.stderr.isatty():
            sys.stderr.write(_CLEAR_LINE + text)
        elif text:
            sys.stderr.write(text + "\n")
        sys.stderr.flush()

    try:
        yield show
    finally:
        show("")
