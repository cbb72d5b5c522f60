"""Two measures, four gates: what shuts them, what opens them again, and who is told."""

import pytest

from edge_proxy.config import LimitSettings
from edge_proxy.load import NEW_SHARE, NOTHING, SPAM_ONLY, Gate, Load, load_average_now
from edge_proxy.metrics import Overload
from service_kit.clock import ManualClock
from service_kit.tasks import Tasks
from tests.support.eventually import eventually


class Machine:
    """A load average that obeys, and a count of what was told."""

    def __init__(self, **limits: float) -> None:
        self.average = 0.0
        self.told = 0
        self.load = Load(
            LimitSettings.model_validate(limits), ManualClock(), self._changed, lambda: self.average
        )

    def _changed(self) -> None:
        self.told += 1

    def late(self, late_s: float, times: int = 40) -> None:
        for _ in range(times):
            self.load.measured(late_s)


def test_a_gate_opens_well_below_the_value_that_shut_it() -> None:
    gate = Gate(10.0)
    states = []
    for value in (10.0, 10.1, 9.0, 8.1, 8.0, 9.9, 10.1):
        gate.follow(value)
        states.append(gate.is_shut)
    assert states == [False, True, True, True, False, False, True]


def test_a_gate_without_a_limit_stays_open() -> None:
    gate = Gate(0.0)
    gate.follow(1e9)
    assert not gate.is_shut


def test_load_above_its_limit_refuses_and_below_admits_again() -> None:
    machine = Machine(load_average=4.0)
    machine.average = 4.1
    machine.late(0.0, times=1)
    assert machine.load.overload is Overload.LOAD_AVERAGE
    machine.average = 3.0
    machine.late(0.0, times=1)
    assert machine.load.overload is None


def test_lasting_lag_refuses() -> None:
    machine = Machine(loop_lag_ms=500)
    machine.late(0.6)
    assert machine.load.overload is Overload.LOOP_LAG
    machine.late(0.0)
    assert machine.load.overload is None


def test_one_long_turn_is_no_alarm() -> None:
    machine = Machine(loop_lag_ms=500)
    machine.late(0.5 / NEW_SHARE, times=1)
    assert machine.load.overload is None


@pytest.mark.parametrize(
    ("limits", "average", "late_s"),
    [({"skip_spam_load_average": 2.0}, 2.5, 0.0), ({"skip_spam_loop_lag_ms": 100}, 0.0, 0.2)],
)
def test_spam_is_spared_first_and_told_once_each_way(
    limits: dict[str, float], average: float, late_s: float
) -> None:
    machine = Machine(load_average=4.0, loop_lag_ms=500, **limits)
    machine.average = average
    machine.late(late_s)
    assert (machine.load.spared, machine.load.overload, machine.told) == (SPAM_ONLY, None, 1)
    machine.average = 0.0
    machine.late(0.0)
    assert (machine.load.spared, machine.told) == (NOTHING, 2)


def test_nothing_happens_when_nothing_is_configured() -> None:
    machine = Machine(loop_lag_ms=0)
    machine.average = 1e6
    machine.late(1e6)
    assert (machine.load.overload, machine.load.spared, machine.told) == (None, NOTHING, 0)


async def test_running_measures() -> None:
    machine = Machine(skip_spam_load_average=1.0)
    machine.average = 2.0
    async with Tasks() as tasks:
        tasks.spawn(machine.load.run(), name="load")
        await eventually(lambda: machine.load.spared)


def test_a_load_average_that_cannot_be_read_is_no_load(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable() -> tuple[float, float, float]:
        raise OSError

    monkeypatch.setattr("os.getloadavg", unreadable)
    assert load_average_now() == 0.0
