"""Who is let in, and that everything is given back."""

import pytest

from scanner import metrics
from scanner.admission import Admission, Overloaded


def test_as_many_scans_as_are_allowed_are_admitted() -> None:
    admission = Admission(2, 100)
    with admission.admit(), admission.admit():
        with pytest.raises(Overloaded, match="scans"):
            admission.admit()
        assert admission.scans == 2
    assert admission.scans == 0


def test_octets_are_bounded_over_all_scans() -> None:
    admission = Admission(5, 100)
    with admission.admit() as one, admission.admit() as other:
        one.hold(60)
        other.hold(40)
        with pytest.raises(Overloaded, match="content"):
            other.hold(1)
        assert admission.octets == 100


def test_it_is_crowded_beyond_a_share_of_either_bound() -> None:
    admission = Admission(4, 100, crowded_at=0.5)
    with admission.admit() as one, admission.admit():
        assert not admission.crowded
        with admission.admit():
            assert admission.crowded
        one.hold(50)
        assert not admission.crowded
        one.hold(1)
        assert admission.crowded


def test_a_scan_alone_is_no_crowd_and_without_a_share_there_is_none() -> None:
    with (alone := Admission(1, 100, crowded_at=0.5)).admit():
        assert not alone.crowded
    with (never := Admission(1, 100)).admit() as place:
        place.hold(100)
        assert not never.crowded


def test_everything_is_given_back_when_a_scan_fails() -> None:
    admission = Admission(1, 100)

    def failing_scan() -> None:
        with admission.admit() as place:
            place.hold(70)
            raise ZeroDivisionError

    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            failing_scan()
    assert (admission.scans, admission.octets) == (0, 0)


def test_what_was_refused_is_not_held() -> None:
    admission = Admission(2, 100)
    with admission.admit() as place:
        with pytest.raises(Overloaded):
            place.hold(101)
        place.hold(100)
    assert admission.octets == 0


def test_what_is_admitted_and_held_now_is_shown() -> None:
    def shown() -> tuple[float, float]:
        return metrics.IN_FLIGHT()._value.get(), metrics.HELD_OCTETS()._value.get()

    scans, octets = shown()
    admission = Admission(2, 100)
    with admission.admit() as place:
        place.hold(30)
        place.hold(40)
        assert shown() == (scans + 1, octets + 70)
    assert shown() == (scans, octets)


def test_streams_leave_places_for_small_scans() -> None:
    admission = Admission(4, 100)
    with admission.admit_stream(), admission.admit_stream():
        with pytest.raises(Overloaded, match="scans"):
            admission.admit_stream()
        with admission.admit(), admission.admit():
            assert admission.scans == 4
    with admission.admit_stream():
        assert admission.streams == 1
    assert admission.streams == 0


def test_streams_leave_octets_for_small_scans() -> None:
    admission = Admission(5, 100)
    with admission.admit_stream() as slow, admission.admit() as small:
        slow.hold(50)
        with pytest.raises(Overloaded, match="content"):
            slow.hold(1)
        small.hold(50)
    assert (admission.octets, admission.streamed_octets) == (0, 0)
