"""The rates of the rulebook as one worker can keep them alone, while policy is away.

Sessions, messages and recipients are counted, of what this worker was asked since policy went;
octets, destinations and what servers refuse only policy counts. Windows slide as they do there
(``rulebook.sliding``).
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from rulebook.bearers import auth_subject, counted_as
from rulebook.sliding import Window
from rulebook.values import Action, Counted, Mode, Penalty, Per, Rate, Rulebook
from smtpgated_contracts.values.asked import DataAsked, MailAsked, SessionAsked
from smtpgated_contracts.values.mail import Envelope
from smtpgated_contracts.values.policy import Decision, DecisionKind

MOST_WINDOWS: Final = 10_000
"""Windows kept; the one that was not asked for the longest is forgotten first."""

Asked = SessionAsked | MailAsked | DataAsked
_NOTHING_SAID: Final = Envelope()
_OF_EVERYBODY: Final = frozenset({Per.TOTAL, Per.DESTINATION})
_KINDS: Final = {Action.DEFER: DecisionKind.DEFER, Action.REFUSE: DecisionKind.REFUSE}


class LocalRates:
    """``now_s`` is any clock that only goes on."""

    def __init__(self, now_s: Callable[[], float], most_windows: int = MOST_WINDOWS) -> None:
        self._now_s = now_s
        self._most_windows = most_windows
        self._windows: OrderedDict[tuple[str, int, str], Window] = OrderedDict()

    def decide(
        self, rulebook: Rulebook, asked: Asked, *, exempt: bool, throttled: bool
    ) -> Decision | None:
        """Spend what this asks for, of every rate or of none; the decision of the first rate that
        has not enough left, None: all have. About MAIL nothing is spent, but its room is told."""
        now_ms = round(self._now_s() * 1000)
        spent: list[tuple[Window, int, int]] = []
        room: int | None = None
        for rate, subject in _applying(rulebook, asked, exempt=exempt):
            limit = _limit(rate, rulebook.penalty, throttled=throttled)
            amount = _amount(rate.count, asked)
            window_ms = rate.window_s * 1000
            window = self._window(rate.id, window_ms, subject)
            left = limit - window.used(window_ms, now_ms)
            if left < max(amount, 1):
                return Decision(_KINDS[rate.action], f"local limit:{rate.id}", reply=rate.reply)
            if rate.count is Counted.RECIPIENTS:
                room = int(left) if room is None else min(room, int(left))
            spent.append((window, amount, window_ms))
        for window, amount, window_ms in spent:
            if amount:
                window.spend(amount, window_ms, now_ms)
        if isinstance(asked, MailAsked) and room is not None:
            return Decision(DecisionKind.ADMIT, "local limits", recipients_left=room)
        return None

    def _window(self, rate_id: str, window_ms: int, subject: str) -> Window:
        key = rate_id, window_ms, subject
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = Window()
            if len(self._windows) > self._most_windows:
                self._windows.popitem(last=False)
        else:
            self._windows.move_to_end(key)
        return window


def _applying(rulebook: Rulebook, asked: Asked, *, exempt: bool) -> Iterator[tuple[Rate, str]]:
    """The rates that this is about, each with the subject that they count it for."""
    for rate in rulebook.rates:
        if rate.count not in _ABOUT[type(asked)] or rate.mode is not Mode.ENFORCE:
            continue
        if rate.profile and rate.profile not in asked.profiles:
            continue
        if exempt and rate.per not in _OF_EVERYBODY:
            continue
        subject = _SUBJECTS[rate.per](asked)
        if subject:
            yield rate, subject


def _limit(rate: Rate, penalty: Penalty, *, throttled: bool) -> float:
    return rate.limit * penalty.throttle_share if throttled else rate.limit


def _amount(counted: Counted, asked: Asked) -> int:
    if isinstance(asked, MailAsked):
        return 0
    if counted is Counted.RECIPIENTS and isinstance(asked, DataAsked):
        return len(asked.envelope.recipients)
    return 1


def _envelope(asked: Asked) -> Envelope:
    return _NOTHING_SAID if isinstance(asked, SessionAsked) else asked.envelope


def _sender_domain(asked: Asked) -> str:
    _, _, domain = _envelope(asked).reverse_path.rpartition(b"@")
    return domain.lower().decode("ascii", "backslashreplace")


_ABOUT: Final[Mapping[type[Asked], frozenset[Counted]]] = {
    SessionAsked: frozenset({Counted.SESSIONS}),
    MailAsked: frozenset({Counted.RECIPIENTS}),
    DataAsked: frozenset({Counted.MESSAGES, Counted.RECIPIENTS}),
}
_SUBJECTS: Final[Mapping[Per, Callable[[Asked], str]]] = {
    Per.TOTAL: lambda _: "total",
    Per.SOURCE: lambda asked: counted_as(asked.session.source.address),
    Per.IDENTITY: lambda asked: asked.session.identity,
    Per.AUTH_USER: lambda asked: auth_subject(_envelope(asked).auth_user),
    Per.SENDER_DOMAIN: _sender_domain,
    Per.DESTINATION: lambda asked: asked.session.original_destination.address,
}
"""Empty: it has none, and is not counted."""
