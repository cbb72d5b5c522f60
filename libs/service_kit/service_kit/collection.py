"""The garbage collector of a process that has started: it need not look at what stays for ever.

A service that answers in milliseconds is held up for some tens of them each time all of its
modules, classes and tables are searched for cycles. What is there after the start is put aside, and
young objects are looked at less often: they are counted in thousands a second, and hardly any is
in a cycle.
"""

import gc
from typing import Final

_THRESHOLDS: Final = (20_000, 20, 20)


def put_start_aside() -> None:
    """Call it when everything is loaded; again after something large that stays was loaded."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
