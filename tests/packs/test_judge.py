"""Faults and events held against each other."""

from __future__ import annotations

import pytest

from bimetal.nouns import Cause, Event, Kind
from bimetal.packs.judge import judge
from bimetal.packs.truth import Truth

FAULT = Truth("pump-1", "overheating", 100, 200, 250, ("temperature",), Cause.PROCESS)


def event(time_ns: int, device: str = "pump-1", kind: Kind = Kind.ALARM) -> Event:
    """An event at an instant."""
    return Event(kind, device, time_ns, 2.0, kind is Kind.ALARM, Cause.PROCESS, (), "words.", time_ns)


@pytest.mark.parametrize(
    ("time_ns", "found", "false"),
    [(99, 0, 1), (100, 1, 0), (199, 1, 0), (200, 0, 0), (249, 0, 0), (250, 0, 1)],
)
def test_when_an_event_counts(time_ns: int, found: int, false: int) -> None:
    verdict = judge([FAULT], [event(time_ns)])
    assert (len(verdict.found), len(verdict.false)) == (found, false)
    assert verdict.injected == 1


def test_another_device_explains_nothing_and_an_end_is_no_alarm() -> None:
    verdict = judge([FAULT], [event(150, "pump-2"), event(150, kind=Kind.CLEARED)])
    assert verdict.missed == (FAULT,)
    assert [e.device for e in verdict.false] == ["pump-2"]


def test_a_sensors_fault_counts_as_well() -> None:
    assert judge([FAULT], [event(150, kind=Kind.QUALITY)]).found == (FAULT,)


def test_nothing_happened() -> None:
    verdict = judge([], [])
    assert (verdict.injected, verdict.false) == (0, ())
