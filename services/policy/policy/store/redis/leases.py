"""Leases and rates in Redis: a question is one script, a batch of questions one pipeline.

The time is Redis's own, the one clock that all replicas share; tests give another.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any, Final

from policy.core.leases import Lease, Open, Release, Renew, Standing
from policy.core.rates import Request, Settled, Spend
from policy.ports import LeasePage
from policy.store.records import progress_from, progress_to_text
from policy.store.redis.keys import Keys
from policy.store.redis.link import Command, RedisLink, call
from policy.store.redis.rates import spend_command, spent_from
from policy.store.redis.script_files import LIST_SESSIONS, OPEN, RELEASE, RENEW
from service_kit.clock import Clock
from smtpgated_contracts.values.policy import SessionProgress

MOST_IN_A_CALL: Final = 500
"""Sessions in one script call: Redis does nothing else meanwhile (about 5 ms for so many)."""

_STANDINGS: Final = (
    Standing.GRANTED,
    Standing.TOTAL_REACHED,
    Standing.SOURCE_REACHED,
    Standing.DESTINATION_REACHED,
    Standing.IDENTITY_REACHED,
)
_ROW: Final = 4


class RedisLeases:
    """The LeaseStore. ``clock`` None: the clock of Redis."""

    def __init__(self, link: RedisLink, keys: Keys, lease_ms: int, clock: Clock | None) -> None:
        self._link = link
        self._keys = keys
        self._lease_ms = lease_ms
        self._clock = clock
        self._common = (keys.leases, keys.opened, keys.sessions)

    async def settle(self, requests: Sequence[Request], deadline: float) -> list[Settled]:
        now = self._now()
        commands: list[Command] = []
        # Where the answer to each request stands; a long Renew is several commands.
        places: list[int] = []
        for request in requests:
            places.append(len(commands))
            match request:
                case Open():
                    commands.append(self._open(request, now))
                case Spend():
                    commands.append(spend_command(self._keys, request, now))
                case Renew(sessions):
                    commands += [self._renew(part, now) for part in _parts(sessions)]
                case Release(session_ids):
                    prefixes = self._keys.counting_prefixes
                    commands += [
                        call(RELEASE, self._common, *prefixes, *part)
                        for part in _parts(session_ids)
                    ]
        if not commands:
            return [Standing.GRANTED for _ in requests]
        answers = await self._link.run(*commands, deadline=deadline)
        return [
            _settled(request, answers, place)
            for request, place in zip(requests, places, strict=True)
        ]

    async def sessions(self, source: str, offset: int, limit: int) -> LeasePage:
        keys = (*self._common, self._keys.source(source)) if source else self._common
        (rows,) = await self._link.run(call(LIST_SESSIONS, keys, self._now(), offset, limit))
        return LeasePage(rows[0], tuple(map(_lease, _rows(rows[1:]))))

    def _open(self, request: Open, now: int) -> Command:
        session = request.session
        return call(
            OPEN,
            (*self._common, *self._keys.counting(session.session)),
            now,
            self._lease_ms,
            request.caps.total,
            request.caps.per_source,
            request.caps.per_destination,
            request.caps.per_identity,
            session.session.session_id,
            session.opened_at_ms,
            progress_to_text(session),
        )

    def _renew(self, sessions: Sequence[SessionProgress], now: int) -> Command:
        counting = [self._keys.counting(each.session) for each in sessions]
        arguments = (
            part
            for each, keys in zip(sessions, counting, strict=True)
            for part in (
                each.session.session_id,
                each.opened_at_ms,
                progress_to_text(each),
                len(keys),
            )
        )
        keys = (*self._common, *chain.from_iterable(counting))
        return call(RENEW, keys, now, self._lease_ms, *arguments)

    def _now(self) -> int:
        return self._clock.unix_ms() if self._clock else 0


def _settled(request: Request, answers: Sequence[Any], place: int) -> Settled:
    match request:
        case Open():
            return _STANDINGS[answers[place]]
        case Spend():
            return spent_from(answers[place])
        case _:
            return Standing.GRANTED


def _parts(items: Sequence[Any]) -> list[Sequence[Any]]:
    return [items[at : at + MOST_IN_A_CALL] for at in range(0, len(items), MOST_IN_A_CALL)]


def _rows(flat: Sequence[Any]) -> list[Sequence[Any]]:
    return [flat[at : at + _ROW] for at in range(0, len(flat), _ROW)]


def _lease(row: Sequence[Any]) -> Lease:
    session_id, began, expiry, record = row
    return Lease(progress_from(session_id, int(float(began)), record), int(float(expiry)))
