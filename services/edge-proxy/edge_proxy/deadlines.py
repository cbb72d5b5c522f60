"""The two clocks of a session: patience with the next step, and with a message as a whole."""

from collections.abc import Callable, Sequence

from edge_proxy.patience import Patience
from edge_proxy.relay.actions import Action
from edge_proxy.relay.session import RelaySession


class Deadlines:
    """``content_total_s``: seconds one message may take to arrive; 0: any time."""

    __slots__ = ("_content_total_s", "_core", "_for_content", "_for_progress")

    def __init__(
        self,
        core: RelaySession,
        content_total_s: float,
        tell: Callable[[Callable[[], Sequence[Action]]], None],
    ) -> None:
        """``tell`` delivers an input to the core."""
        self._core = core
        self._content_total_s = content_total_s
        self._for_progress = Patience(lambda: tell(core.deadline_passed))
        self._for_content = Patience(lambda: tell(core.content_overdue))

    def follow(self, tunnelled_octets: int) -> None:
        """Look at the core, after every input. In a tunnel each octet is progress."""
        core = self._core
        self._for_progress.follow((*core.progress, tunnelled_octets), core.patience)
        arriving = core.content_arriving
        if arriving is None or not self._content_total_s:
            self._for_content.stop()
        else:
            self._for_content.follow(arriving, self._content_total_s)

    def stop(self) -> None:
        self._for_progress.stop()
        self._for_content.stop()
