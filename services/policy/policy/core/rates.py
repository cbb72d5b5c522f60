"""Spending: what a question costs the rates that hold for it, and what came of it.

A ``Spend`` is all or nothing: it is measured by every window first, and only if none is full is it
counted in all of them. ``RateBook`` is the whole model: the Lua script is compared with it, the
in-memory store is made of it, and a replica keeps one for the time when the store is away.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from policy.core.leases import LeaseRequest, Standing
from rulebook.sliding import Members, Window

MOST_WINDOWS: Final = 200_000
"""Windows a book keeps, the longest unused go first; about 0.5 KiB each."""


class Measured(StrEnum):
    """How a window takes part. ENFORCED: when it is full, nothing is spent. SHADOW: it only says
    so. CHARGED: it is not asked, what has happened has happened; it may be in debt then."""

    ENFORCED = "enforced"
    SHADOW = "shadow"
    CHARGED = "charged"


@dataclass(frozen=True, slots=True)
class Count:
    """One window, named by ``rate_id``, ``subject`` and ``window_ms``: another length is another.

    ``cost`` 0 only asks whether it is full; below 0 something is given back. ``member``: of a
    window that counts different names; then ``cost`` is 1 or 0.
    """

    rate_id: str
    subject: str
    window_ms: int
    limit: int
    cost: int
    measured: Measured = Measured.ENFORCED
    member: str = ""

    @property
    def is_enforced(self) -> bool:
        return self.measured is Measured.ENFORCED

    def full(self, used: int, *, known: bool = False) -> bool:
        """Whether there is no room for it. ``known``: the member is counted already."""
        if known:
            return False
        return used + self.cost > self.limit if self.cost else used >= self.limit


@dataclass(frozen=True, slots=True)
class Spend:
    """What one question spends."""

    counts: tuple[Count, ...]

    def charged(self) -> "Spend":
        """The same as something that has happened."""
        return Spend(tuple(replace(each, measured=Measured.CHARGED) for each in self.counts))

    def watched(self) -> "Spend":
        """The same as something that has happened, and says what it made of the limits."""
        return Spend(tuple(replace(each, measured=Measured.SHADOW) for each in self.counts))

    def reduced(self, share: float) -> "Spend":
        """The same against a part of each limit, at least one."""
        return Spend(
            tuple(replace(each, limit=max(1, int(each.limit * share))) for each in self.counts)
        )


@dataclass(frozen=True, slots=True)
class Spent:
    """``used`` is what each window had before, in the order of the counts; ``full`` the places of
    those without room. Nothing was spent where one of them is enforced."""

    used: tuple[int, ...]
    full: tuple[int, ...] = ()


Request = LeaseRequest | Spend
"""What a store settles in one round trip."""
Settled = Standing | Spent
"""The answer to each: a Spent to a Spend."""


class RateBook:
    """All windows of one farm. ``now_ms`` is that of one clock."""

    __slots__ = ("_most", "_windows")

    def __init__(self, most: int = MOST_WINDOWS) -> None:
        self._most = most
        self._windows: OrderedDict[tuple[str, int, str, bool], Window | Members] = OrderedDict()

    def __len__(self) -> int:
        return len(self._windows)

    def spend(self, spend: Spend, now_ms: int) -> Spent:
        windows = [self._window(each) for each in spend.counts]
        used, full, blocked = [], [], False
        for place, (count, window) in enumerate(zip(spend.counts, windows, strict=True)):
            used.append(window.used(count.window_ms, now_ms))
            known = isinstance(window, Members) and window.has(count.member)
            if count.measured is not Measured.CHARGED and count.full(used[-1], known=known):
                full.append(place)
                blocked = blocked or count.measured is Measured.ENFORCED
        if not blocked:
            for place, (count, window) in enumerate(zip(spend.counts, windows, strict=True)):
                _count(window, count, now_ms, is_full=place in full)
        self._bound()
        return Spent(tuple(used), tuple(full))

    def _window(self, count: Count) -> Window | Members:
        key = (count.rate_id, count.window_ms, count.subject, bool(count.member))
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = Members() if count.member else Window()
        self._windows.move_to_end(key)
        return window

    def _bound(self) -> None:
        while len(self._windows) > self._most:
            self._windows.popitem(last=False)


def _count(window: Window | Members, count: Count, now_ms: int, *, is_full: bool) -> None:
    if isinstance(window, Window):
        if count.cost:
            window.spend(count.cost, count.window_ms, now_ms)
    elif count.cost > 0 and not is_full:  # a name too many is not kept: names are the stranger's
        window.spend(count.member, now_ms)


def given_back(counts: Iterable[Count]) -> Spend:
    """The opposite of what was spent. Names stay counted."""
    return Spend(
        tuple(
            replace(each, cost=-each.cost, measured=Measured.CHARGED)
            for each in counts
            if each.cost > 0 and not each.member
        )
    )
