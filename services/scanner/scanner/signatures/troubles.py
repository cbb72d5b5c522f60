"""What keeps signatures from being new: one log line when it begins, none while it lasts."""

import logging
from typing import Final

from service_kit.logs import event

_LOG: Final = logging.getLogger(__name__)


class Troubles:
    """Bounded by its callers' words: each names its trouble by a constant."""

    def __init__(self) -> None:
        self._lasting: set[str] = set()

    def note(self, what: str, why: str) -> None:
        if what not in self._lasting:
            self._lasting.add(what)
            event(_LOG, logging.WARNING, what, why=why)

    def over(self, what: str) -> None:
        self._lasting.discard(what)
