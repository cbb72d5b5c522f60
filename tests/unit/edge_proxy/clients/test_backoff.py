"""Pauses grow to a bound and begin anew after a success."""

import asyncio
import logging

import pytest

from edge_proxy.clients.backoff import FIRST_S, LONGEST_S, Backoff


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    asked: list[float] = []

    async def note(pause_s: float) -> None:
        asked.append(pause_s)

    monkeypatch.setattr(asyncio, "sleep", note)
    return asked


async def test_pauses_double_up_to_the_longest_and_are_never_in_step(pauses: list[float]) -> None:
    backoff = Backoff()
    for _ in range(8):
        await backoff.wait()
    longest = [min(LONGEST_S, FIRST_S * 2**each) for each in range(8)]
    assert all(most / 2 <= pause <= most for pause, most in zip(pauses, longest, strict=True))
    assert len(set(pauses)) == len(pauses)


async def test_a_success_begins_anew(pauses: list[float]) -> None:
    backoff = Backoff()
    for _ in range(8):
        await backoff.wait()
    backoff.succeeded()
    await backoff.wait()
    assert pauses[-1] <= FIRST_S


async def test_the_first_failure_is_news_and_those_behind_it_are_not(pauses: list[float]) -> None:
    backoff = Backoff()
    assert backoff.level == logging.WARNING
    await backoff.wait()
    assert backoff.level == logging.DEBUG
    backoff.succeeded()
    assert backoff.level == logging.WARNING
