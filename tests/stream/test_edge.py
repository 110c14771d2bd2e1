"""Edges: each alarm and each sensor fault is said once when it begins and once when it ends."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.nouns import Cause, Kind
from bimetal.stream.edge import Said, Watch, edges
from tests.stream.given import SECOND, START, explain


def said(alarm: list[int], fault: list[list[int]] | None = None, first: int = 0) -> Said:
    rows = len(alarm)
    faults = np.array(fault if fault is not None else [[0, 0]] * rows, np.int32).reshape(rows, 2)
    return Said(
        "pump",
        np.arange(first, first + rows),
        START + SECOND * np.arange(first, first + rows),
        np.zeros((rows, 2)),
        np.array(alarm, float),
        np.array(alarm, bool),
        np.zeros((rows, 2), np.float32),
        faults,
    )


def kinds(alarm: list[int], fault: list[list[int]] | None = None) -> list[tuple[int, Kind, Cause]]:
    return [(row, e.kind, e.cause) for row, e in edges(Watch(), said(alarm, fault), explain)[1]]


def test_an_alarm_is_said_when_it_begins_and_when_it_ends() -> None:
    assert kinds([0, 1, 1, 0, 0, 1]) == [
        (1, Kind.ALARM, Cause.PROCESS),
        (3, Kind.CLEARED, Cause.PROCESS),
        (5, Kind.ALARM, Cause.PROCESS),
    ]


def test_a_cleared_event_says_since_when_and_how_long() -> None:
    (_, began), (_, over) = edges(Watch(), said([0, 1, 1, 1, 0]), explain)[1]
    assert began.since_ns == over.since_ns == START + SECOND
    assert over.sentence == "pump is back to normal after 3 s."
    assert (began.alarm, over.alarm) == (True, False)


def test_a_fault_is_said_for_each_sensor_and_its_end_when_all_are_well() -> None:
    fault = [[0, 0], [1, 0], [1, 2], [1, 2], [0, 2], [0, 0]]
    assert kinds([0] * 6, fault) == [
        (1, Kind.QUALITY, Cause.SENSOR),
        (2, Kind.QUALITY, Cause.SENSOR),
        (5, Kind.CLEARED, Cause.SENSOR),
    ]


@pytest.mark.parametrize(
    ("alarm", "fault"),
    [([0, 1, 0, 0], [0, 3, 0, 0]), ([0, 1, 1, 0], [0, 3, 0, 0]), ([0, 1, 0, 0], [0, 3, 3, 0])],
)
def test_an_alarm_from_a_faulty_sensor_ends_when_both_did(alarm: list[int], fault: list[int]) -> None:
    found = kinds(alarm, [[f, 0] for f in fault])
    last = max(k for k in range(4) if alarm[k] or fault[k]) + 1
    assert found == [
        (1, Kind.QUALITY, Cause.SENSOR),
        (1, Kind.ALARM, Cause.SENSOR),
        (last, Kind.CLEARED, Cause.SENSOR),
    ]


def test_a_process_alarm_and_a_sensor_fault_end_each_for_itself() -> None:
    found = kinds([1, 1, 0, 0], [[0, 0], [3, 0], [3, 0], [0, 0]])
    assert found == [
        (0, Kind.ALARM, Cause.PROCESS),
        (1, Kind.QUALITY, Cause.SENSOR),
        (2, Kind.CLEARED, Cause.PROCESS),
        (3, Kind.CLEARED, Cause.SENSOR),
    ]


def test_the_word_about_a_fault_is_about_what_just_began() -> None:
    asked: list[tuple[list[float], list[int]]] = []

    def listen(device, time_ns, values, score, share, fault, since_ns):
        asked.append((share.tolist(), fault.tolist()))
        return explain(device, time_ns, values, score, share, fault, since_ns)

    given_rows = said([0, 0, 1], [[3, 0], [3, 2], [3, 2]])
    given_rows.share[:] = 0.5
    edges(Watch(), given_rows, listen)
    assert asked == [([0, 0], [3, 0]), ([0, 0], [0, 2]), ([0.5, 0.5], [3, 2])]


@given(st.data(), st.lists(st.tuples(*[st.integers(0, 1)] * 3), max_size=20))
def test_a_split_anywhere_says_the_same(data: st.DataObject, rows: list[tuple[int, int, int]]) -> None:
    alarm, fault = [r[0] for r in rows], [list(r[1:]) for r in rows]
    cut = data.draw(st.integers(0, len(rows)))
    watch, once = edges(Watch(), said(alarm, fault), explain)
    middle, first = edges(Watch(), said(alarm[:cut], fault[:cut]), explain)
    end, second = edges(middle, said(alarm[cut:], fault[cut:], cut), explain)
    assert (end, first + second) == (watch, once)
    for cause in Cause:
        troubled = False
        for _, event in once:
            if event.cause is cause:
                assert troubled or event.kind is not Kind.CLEARED
                troubled = event.kind is not Kind.CLEARED
        assert not troubled or any(rows[-1])
