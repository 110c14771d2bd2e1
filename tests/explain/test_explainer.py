"""The cause of an alarm: process, sensor, or a way of running never seen, and how sure that is."""

from __future__ import annotations

import numpy as np
import pytest

from bimetal.explain.explainer import Explainer
from bimetal.learn.usual import Usual
from bimetal.nouns import Event, Kind, Signal
from bimetal.nouns.event import Cause, Fault

NAMES = ("flow", "heat", "power", "noise")
USUAL = [Usual(5.0, 1.0, 0.0, 10.0)] * 4


def told(values: list[float], share: list[float], fault: list[int], score: float = 2.0) -> Event:
    explain = Explainer(tuple(Signal(n) for n in NAMES), {"": USUAL})
    shares, faults = np.array(share, np.float32), np.array(fault, np.int32)
    return explain("rig", 0, np.array(values), score, shares, faults, 0)


def test_every_reason_says_since_when_where_it_is_known() -> None:
    signals = tuple(Signal(n, period_s=p) for n, p in zip(NAMES, (2.0, 2.0, 2.0, 0.0), strict=True))
    explain = Explainer(signals, {"": USUAL})
    values, share = np.array([20.0, 5, 5, 5]), np.array([0.4, 0.3, 0.2, 0.1], np.float32)
    faults, lasting = np.zeros(4, np.int32), np.array([61, 1, 0, 9], np.int32)
    event = explain("rig", 10**12, values, 2.0, share, faults, 10**12, lasting)
    assert [r.since_ns for r in event.reasons] == [10**12 - 120 * 10**9, 10**12, None, None]
    assert "(40% of the alarm, for 2 minutes now)" in event.sentence
    assert explain("rig", 10**12, values, 2.0, share, faults, 10**12).reasons[0].since_ns is None
    stuck = np.array([Fault.STUCK, 0, 0, 0], np.int32)
    noticed = explain("rig", 10**12, values, 0.2, np.zeros(4, np.float32), stuck, 10**12, lasting)
    assert noticed.reasons[0].since_ns is None


def test_one_signal_outside_is_the_process() -> None:
    event = told([20, 5, 5, 5], [0.5, 0.3, 0.2, 0], [0, 0, 0, 0])
    assert (event.kind, event.cause, event.confidence) == (Kind.ALARM, Cause.PROCESS, 0.7)
    assert "worth a look" not in event.sentence


def test_what_one_signal_alone_shows_is_less_surely_the_process() -> None:
    shares = [[x, 1 - x, 0, 0] for x in (0.4, 0.6, 0.8, 1.0)]
    events = [told([20, 5, 5, 5], share, [0, 0, 0, 0]) for share in shares]
    assert [e.confidence for e in events] == sorted((e.confidence for e in events), reverse=True)
    assert {e.cause for e in events} == {Cause.PROCESS}
    assert events[-1].confidence == 0.23
    assert events[-1].sentence.endswith("nothing else shows it, so its sensor is worth a look.")
    assert "nothing else" not in events[2].sentence


def test_most_signals_outside_at_once_are_a_way_of_running_never_seen() -> None:
    event = told([20, -9, 30, 5], [0.4, 0.3, 0.3, 0], [0, 0, 0, 0])
    assert (event.cause, event.confidence) == (Cause.CONTEXT, 0.93)
    assert "a way it was never seen to, 3 of 4 signals outside" in event.sentence
    near = told([10.5, -0.5, 10.5, 5], [0.4, 0.3, 0.3, 0], [0, 0, 0, 0])
    assert near.cause is Cause.PROCESS


def test_an_alarm_of_a_signal_whose_sensor_is_convicted_is_the_sensor_s() -> None:
    event = told([20, 5, 5, 5], [0.9, 0.1, 0, 0], [Fault.OFFSET, 0, 0, 0])
    assert (event.cause, event.alarm) == (Cause.SENSOR, True)
    assert "jumped away from the signal it goes with" in event.sentence
    other = told([20, 5, 5, 5], [0.9, 0.1, 0, 0], [0, Fault.STUCK, 0, 0])
    assert other.cause is Cause.PROCESS


def test_what_only_looks_like_a_sensor_is_said_with_half_the_confidence() -> None:
    event = told([20, 5, 5, 5], [0.9, 0.1, 0, 0], [-Fault.DRIFT, 0, 0, 0])
    assert (event.cause, event.confidence) == (Cause.PROCESS, 0.42)
    assert event.sentence.endswith("flow looks like a drift, so its sensor is worth a look.")


@pytest.mark.parametrize("score", [0.2, 3.0])
def test_a_sensor_s_fault_alone_is_its_own_event_with_its_own_reasons(score: float) -> None:
    event = told([20, 5, 5, 5], [0, 0, 0, 0], [Fault.SPIKE, 0, 0, 0], score)
    assert (event.cause, event.confidence) == (Cause.SENSOR, 0.97)
    assert event.reasons[0].signal == "flow"
    assert event.sentence.startswith("rig: the flow sensor spiked")


def test_missing_values_are_outside_of_nothing() -> None:
    event = told([float("nan")] * 4, [1, 0, 0, 0], [0, 0, 0, 0])
    assert event.cause is Cause.PROCESS
