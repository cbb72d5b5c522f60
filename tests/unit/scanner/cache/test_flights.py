"""One asks, the others wait for him."""

import asyncio

import pytest

from scanner.cache.flights import Flight, Flights
from tests.unit.scanner.fakes import EICAR_FOUND, NO_VIRUS


def soon(in_s: float = 60.0) -> float:
    return asyncio.get_running_loop().time() + in_s


async def test_whoever_waits_gets_what_the_flight_lands_with() -> None:
    flights = Flights()
    async with asyncio.TaskGroup() as group:
        with flights.leading("a") as flight:
            assert flights.of("a") is flight
            assert flights.of("b") is None
            waiting = [group.create_task(flight.landing(soon())) for _ in range(3)]
            await asyncio.sleep(0)
            flight.land((NO_VIRUS,))
            flight.land((EICAR_FOUND,))
    assert [each.result() for each in waiting] == [(NO_VIRUS,)] * 3
    assert len(flights) == 0


@pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError])
async def test_a_flight_that_fails_lands_with_nothing(error: type[BaseException]) -> None:
    flights = Flights()
    with pytest.raises(error), flights.leading("a") as flight:
        raise error
    assert await flight.landing(soon()) is None
    assert flights.of("a") is None


async def test_nobody_waits_longer_than_he_wants_to() -> None:
    flight = Flight()
    assert await flight.landing(soon(0.01)) is None
    assert await flight.landing(soon(-1.0)) is None
    flight.land((NO_VIRUS,))
    assert await flight.landing(soon(-1.0)) == (NO_VIRUS,)


async def test_who_stops_waiting_disturbs_nobody() -> None:
    flight = Flight()
    async with asyncio.TaskGroup() as group:
        leaving, staying = (group.create_task(flight.landing(soon())) for _ in range(2))
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.wait((leaving,))
        flight.land((NO_VIRUS,))
    assert staying.result() == (NO_VIRUS,)
