"""How a far server answers: ordinary replies, and the plan's twists in their place.

All replies to one slice leave in one write.
"""

from collections.abc import Callable
from typing import Final, Protocol

from lab.far_server.plan import (
    Close,
    Delay,
    FarPlan,
    Hold,
    Moment,
    Normal,
    Raw,
    Say,
    Silence,
    Twists,
)

Effect = Callable[[], None]


class Line(Protocol):
    """What a dialogue asks of the transport under it."""

    def write(self, octets: bytes) -> None:
        """Send these octets."""

    def close(self) -> None:
        """Send what was written, then close."""

    def reset(self) -> None:
        """Close with RST, whatever was written."""

    def start_tls(self) -> None:
        """What was written leaves in the clear; everything behind it is TLS."""

    def wait(self, seconds: float | None) -> None:
        """Stop reading; call ``Dialogue.resume`` then, or (None) when somebody says so."""


class Voice:
    """One session's replies. ``ended``: nothing is said any more; ``waits``: not now."""

    def __init__(self, plan: FarPlan, line: Line) -> None:
        self._line: Final = line
        self._twists: Final = Twists(plan)
        self._outbox: list[bytes] = []
        self._after_wait: Effect | None = None
        self.cut_content_at: int | None = None
        self.ended = False

    @property
    def waits(self) -> bool:
        """Whether nothing may be read or said until ``resume``."""
        return self._after_wait is not None

    def say(self, reply: str) -> None:
        """Queue a reply; LF separates its lines."""
        self._outbox.append(reply.replace("\n", "\r\n").encode() + b"\r\n")

    def meet(self, moment: Moment, reply: str, effect: Effect) -> None:
        """Answer at ``moment`` as the plan says; ``effect`` follows a positive reply."""
        match self._twists.next(moment):
            case Normal():
                self._answer(reply, effect)
            case Say(other):
                self._answer(other, effect)
            case Raw(octets):
                self._outbox.append(octets)
                effect()
            case Close(after_octets=octets) if moment is Moment.CONTENT:
                self.cut_content_at = octets
            case Close(last_words, reset):
                self.end(last_words, reset=reset)
            case Silence():
                pass
            case Delay(seconds):
                self._wait(lambda: self._answer(reply, effect), seconds)
            case Hold():
                self._wait(lambda: self._answer(reply, effect), None)

    def resume(self) -> None:
        """The wait is over: be ordinary."""
        if self._after_wait is not None:
            effect, self._after_wait = self._after_wait, None
            effect()

    def end(self, last_words: str = "", *, reset: bool = False) -> None:
        """Say the last words and hang up."""
        if last_words:
            self.say(last_words)
        self.flush()
        self.ended = True
        if reset:
            self._line.reset()
        else:
            self._line.close()

    def flush(self) -> None:
        """Send what was said."""
        if self._outbox and not self.ended:
            self._line.write(b"".join(self._outbox))
        self._outbox.clear()

    def _answer(self, reply: str, effect: Effect) -> None:
        if reply:
            self.say(reply)
        if not reply or reply[0] in "23":
            effect()

    def _wait(self, effect: Effect, seconds: float | None) -> None:
        self._after_wait = effect
        self.flush()
        self._line.wait(seconds)
