"""What else is said of an alarm: the limit that would have kept it silent, and the alarm it is most like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from bimetal.explain.further import Further, limit_of
from bimetal.learn.usual import Usual
from bimetal.nouns import Event, Kind, Reason, Signal
from bimetal.nouns.event import Cause, Like, Unless

SIGNALS = (Signal("heat", "Cel"), Signal("flow", "l/min"))
USUAL = [Usual(5.0, 1.0, 0.0, 10.0)] * 2
DAY = 1_772_496_000_000_000_000


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody said before."""

    name: str = "valve blocked"
    verdict: str = "fault"
    device: str = "rig"
    time_ns: int = DAY


@dataclass(frozen=True, slots=True)
class Row:
    """A row that alarms where heat is above a limit; how alike it is to the only known pattern."""

    limit: float = 12.3
    alike: float | None = 0.83
    place: float = 0.0

    def said(self, at: int, name: str) -> float | None:
        """What the program put out."""
        assert at == 7
        return self.place if name == "pattern" and self.alike is not None else self.alike

    def alarms(self, at: int, signal: int, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether it would alarm with other values."""
        assert (at, signal) == (7, 0)
        return values > self.limit


def told(row: Row, value: float = 15.0, cause: Cause = Cause.PROCESS, kind: Kind = Kind.ALARM) -> Event:
    """An alarm of heat, with more to say."""
    reasons = (Reason("heat", 0.9, value, 0.0, 10.0, "Cel"),)
    event = Event(kind, "rig", DAY, 1.2, True, cause, reasons, "rig: heat is high.", DAY)
    return Further(SIGNALS, {"": USUAL}, lambda _: [Said()])(event, row, 7)


def test_the_limit_is_said_and_carried_to_single_precision() -> None:
    event = told(Row())
    assert event.unless is not None
    assert event.unless == Unless("heat", pytest.approx(12.3, abs=2e-6), True, "Cel")
    assert event.unless.limit <= 12.3
    assert float(np.nextafter(np.float32(event.unless.limit), np.float32(99))) > 12.2999999
    assert "; below 12.29 °C it would not alarm; " in event.sentence


def test_what_is_said_is_rounded_so_that_it_stays_true() -> None:
    assert "below 12.34 °C it would not alarm" in told(Row(12.3499)).sentence


def test_the_nearest_known_alarm_is_named_with_its_day_and_how_alike_it_is() -> None:
    event = told(Row())
    assert event.like == Like("valve blocked", "fault", 0.83, "rig", DAY)
    assert event.sentence.endswith(
        "most like the alarm of 3 March 2026 that you called 'valve blocked', a fault (83% the same)."
    )


@pytest.mark.parametrize("row", [Row(alike=0.3), Row(alike=None), Row(place=-1.0), Row(place=5.0)])
def test_what_is_like_nothing_known_is_not_compared(row: Row) -> None:
    assert told(row).like is None


@pytest.mark.parametrize(
    ("row", "value", "cause"),
    [
        (Row(limit=-99.0), 15.0, Cause.PROCESS),
        (Row(limit=99.0), 15.0, Cause.PROCESS),
        (Row(), 8.0, Cause.PROCESS),
        (Row(), float("nan"), Cause.PROCESS),
        (Row(), 15.0, Cause.SENSOR),
    ],
)
def test_where_there_is_no_limit_nothing_is_said(row: Row, value: float, cause: Cause) -> None:
    event = told(row, value, cause)
    assert event.unless is None
    assert "would not" not in event.sentence


def test_only_alarms_have_more_to_say() -> None:
    assert told(Row(), kind=Kind.QUALITY).sentence == "rig: heat is high."


def test_a_limit_below_which_it_alarms_again_is_none() -> None:
    assert limit_of(15.0, 0.0, 10.0, lambda v: (v > 12) | (v < 8)) is None
    assert limit_of(-3.0, 0.0, 10.0, lambda v: v < -1.5) == pytest.approx(-1.5, abs=1e-6)
    assert limit_of(15.0, float("-inf"), float("inf"), lambda v: v > 12) is None
