"""``[[rates]]`` and ``[penalty]`` -> limits with a window, and the stages of a lock."""

from typing import Final

from rulebook.errors import RulebookError, shown
from rulebook.rates import Counted, Penalty, Per, Rate
from rulebook.reading.fields import (
    Table,
    choice,
    count,
    identifier,
    only,
    points,
    profile,
    reply,
    table,
    tables,
)
from rulebook.reading.sanctions import read_burden
from rulebook.rules import Action, Mode
from smtpgated_contracts.values.policy import Stage

MOST_RATES: Final = 200
LONGEST_WINDOW_S: Final = 32 * 24 * 3600
"""A month."""

_KEYS: Final = frozenset(
    {
        *("id", "count", "per", "limit", "window_s", "action", "reply", "mode", "profile"),
        *("lock_s", "points", "on"),
    }
)
_ACTIONS: Final = (Action.DEFER, Action.REFUSE)
_HALF_LIFE_S: Final = Penalty().half_life_s
_THROTTLE_SHARE: Final = Penalty().throttle_share


def read_rates(document: Table) -> tuple[Rate, ...]:
    return tuple(
        _rate(entry, f"rates[{index}]")
        for index, entry in enumerate(tables(document, "rates", MOST_RATES))
    )


def read_penalty(document: Table) -> Penalty:
    entry = table(document, "penalty")
    only(entry, ("half_life_s", "throttle_share", "stages"), "penalty")
    given = table(entry, "stages", "penalty")
    only(given, frozenset(Stage), "penalty.stages")
    stages = {
        stage: points(given, stage, 0.0, "penalty.stages", above=0.0)
        for stage in Stage
        if stage in given
    }
    for milder, stricter in zip(stages, list(stages)[1:], strict=False):
        if stages[milder] >= stages[stricter]:
            raise RulebookError(
                f"penalty.stages.{stricter} = {stages[stricter]:g}: should be more than "
                f"{milder} = {stages[milder]:g}"
            )
    share = points(entry, "throttle_share", _THROTTLE_SHARE, "penalty")
    if share > 1:
        raise RulebookError(f"penalty.throttle_share = {shown(share)}: should be from 0 to 1")
    return Penalty(
        half_life_s=count(entry, "half_life_s", _HALF_LIFE_S, "penalty", least=1),
        throttle_share=share,
        stages=stages,
    )


def _rate(entry: Table, place: str) -> Rate:
    only(entry, _KEYS, place)
    action = choice(Action, entry.get("action", Action.DEFER), f"{place}.action")
    if action not in _ACTIONS:
        raise RulebookError(f"{place}.action = '{action}': should be defer or refuse")
    window_s = count(entry, "window_s", 0, place, least=1)
    if window_s > LONGEST_WINDOW_S:
        raise RulebookError(f"{place}.window_s = {window_s}: should be at most {LONGEST_WINDOW_S}")
    burden = read_burden(entry, place)
    return Rate(
        id=identifier(entry, place),
        count=choice(Counted, entry.get("count"), f"{place}.count"),
        per=choice(Per, entry.get("per"), f"{place}.per"),
        limit=count(entry, "limit", 0, place, least=1),
        window_s=window_s,
        action=action,
        reply=reply(entry, place),
        mode=choice(Mode, entry.get("mode", Mode.ENFORCE), f"{place}.mode"),
        profile=profile(entry.get("profile", ""), f"{place}.profile"),
        lock_s=burden.lock_s,
        points=burden.points,
        on=burden.on,
    )
