"""Spending in Redis: a question is one script over the keys of its windows."""

from collections.abc import Sequence
from itertools import chain

from policy.core.rates import Count, Spend, Spent
from policy.store.redis.keys import Keys
from policy.store.redis.link import Command, call
from policy.store.redis.script_files import SPEND
from rulebook.sliding import PARTS, part_ms


def spend_command(keys: Keys, spend: Spend, now: int) -> Command:
    """``now`` 0: the clock of Redis."""
    arguments = chain.from_iterable(_words(each) for each in spend.counts)
    return call(SPEND, [keys.rate(each) for each in spend.counts], now, *arguments)


def _words(each: Count) -> tuple[str | int, ...]:
    return (
        each.window_ms,
        part_ms(each.window_ms),
        PARTS,
        each.limit,
        each.cost,
        each.measured,
        each.member,
    )


def spent_from(answer: Sequence[int]) -> Spent:
    """What the script says: of each window what was used, and whether it is full."""
    full = tuple(place for place, is_full in enumerate(answer[1::2]) if is_full)
    return Spent(tuple(answer[0::2]), full)
