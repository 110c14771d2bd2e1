"""Edges: each alarm and each sensor fault is said once when it begins and once when it ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.nouns import Cause, Event, Kind
from bimetal.stream.edge import SETTLED, Said, Watch, edges
from tests.stream.given import SECOND, START, explain


def said(
    alarm: list[int], fault: list[list[int]] | None = None, first: int = 0, drift: list[float] | None = None
) -> Said:
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
        drift=None if drift is None else np.array(drift, float),
    )


def kinds(alarm: list[int], fault: list[list[int]] | None = None) -> list[tuple[int, Kind, Cause]]:
    """What is said of these rows and of the healthy ones after them that make a sensor well again."""
    faults = fault if fault is not None else [[0, 0]] * len(alarm)
    rows = said([*alarm, *[alarm[-1]] * SETTLED], [*faults, *[[0, 0]] * SETTLED])
    return [(row, e.kind, e.cause) for row, e in edges(Watch(), rows, explain)[1]]


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
        (4 + SETTLED, Kind.CLEARED, Cause.SENSOR),
    ]


def test_a_loose_plug_is_one_trouble_and_not_one_for_each_spike() -> None:
    spikes = [[4, 0] if k % (SETTLED - 1) == 0 else [0, 0] for k in range(5 * SETTLED)]
    last = max(k for k, row in enumerate(spikes) if row[0])
    assert kinds([0] * len(spikes), spikes) == [
        (0, Kind.QUALITY, Cause.SENSOR),
        (last + SETTLED, Kind.CLEARED, Cause.SENSOR),
    ]


def test_a_fault_that_comes_after_the_sensor_was_well_is_said_again() -> None:
    rows = [[4, 0], *[[0, 0]] * SETTLED, [4, 0]]
    assert [row for row, kind, _ in kinds([0] * len(rows), rows) if kind is Kind.QUALITY] == [0, SETTLED + 1]


@pytest.mark.parametrize(
    ("alarm", "fault"),
    [([0, 1, 0, 0], [0, 3, 0, 0]), ([0, 1, 1, 0], [0, 3, 0, 0]), ([0, 1, 0, 0], [0, 3, 3, 0])],
)
def test_an_alarm_from_a_faulty_sensor_ends_when_both_did(alarm: list[int], fault: list[int]) -> None:
    found = kinds(alarm, [[f, 0] for f in fault])
    well = max(k for k in range(4) if fault[k]) + SETTLED
    last = max(well, max(k for k in range(4) if alarm[k]) + 1)
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
        (2 + SETTLED, Kind.CLEARED, Cause.SENSOR),
    ]


NOT_SAID = float("nan")


def test_a_drift_is_said_once_with_what_to_do_and_its_end_once() -> None:
    rows = said([0] * 7, drift=[NOT_SAID, 0, NOT_SAID, 1, NOT_SAID, 1, 0])
    found = edges(Watch(), rows, explain)[1]
    assert [(row, e.kind, e.cause) for row, e in found] == [
        (3, Kind.DRIFT, Cause.CONTEXT),
        (6, Kind.CLEARED, Cause.CONTEXT),
    ]
    assert "no longer holds" in found[0][1].sentence
    assert "train on recent readings" in found[0][1].sentence
    assert found[1][1].since_ns == START + 3 * SECOND


def test_a_drift_goes_on_where_nothing_is_said_of_it_in_a_later_batch() -> None:
    watch, _ = edges(Watch(), said([0], drift=[1]), explain)
    assert watch.drift
    watch, nothing = edges(watch, said([0, 0], first=1, drift=[NOT_SAID, NOT_SAID]), explain)
    assert not nothing
    watch, over = edges(watch, said([0], first=3, drift=[0]), explain)
    assert [e.kind for _, e in over] == [Kind.CLEARED]
    assert not watch.drift


def test_a_context_alarm_within_a_drift_ends_when_both_did() -> None:
    def unseen(*row: Any) -> Event:
        return replace(explain(*row), cause=Cause.CONTEXT)

    rows = said([0, 1, 1, 0, 0], drift=[0, 1, 1, 1, 0])
    assert [(row, e.kind) for row, e in edges(Watch(), rows, unseen)[1]] == [
        (1, Kind.ALARM),
        (1, Kind.DRIFT),
        (4, Kind.CLEARED),
    ]


def test_the_word_about_a_fault_is_about_what_just_began() -> None:
    asked: list[tuple[list[float], list[int]]] = []

    def listen(device, time_ns, values, score, share, fault, since_ns, lasting):
        asked.append((share.tolist(), fault.tolist()))
        return explain(device, time_ns, values, score, share, fault, since_ns)

    given_rows = said([0, 0, 1], [[3, 0], [3, 2], [3, 2]])
    given_rows.share[:] = 0.5
    edges(Watch(), given_rows, listen)
    assert asked == [([0, 0], [3, 0]), ([0, 0], [0, 2]), ([0.5, 0.5], [3, 2])]


@given(st.data(), st.lists(st.tuples(*[st.integers(0, 1)] * 3, st.integers(-1, 1)), max_size=3 * SETTLED))
def test_a_split_anywhere_says_the_same(data: st.DataObject, rows: list[tuple[int, int, int, int]]) -> None:
    alarm, fault = [r[0] for r in rows], [list(r[1:3]) for r in rows]
    drift = [NOT_SAID if r[3] < 0 else float(r[3]) for r in rows]
    cut = data.draw(st.integers(0, len(rows)))
    watch, once = edges(Watch(), said(alarm, fault, drift=drift), explain)
    middle, first = edges(Watch(), said(alarm[:cut], fault[:cut], drift=drift[:cut]), explain)
    end, second = edges(middle, said(alarm[cut:], fault[cut:], cut, drift[cut:]), explain)
    assert (end, first + second) == (watch, once)
    for cause in Cause:
        troubled = False
        for _, event in once:
            if event.cause is cause:
                assert troubled or event.kind is not Kind.CLEARED
                troubled = event.kind is not Kind.CLEARED
        lately = rows[-SETTLED:]
        assert not troubled or watch.drift or rows[-1][0] or any(any(row[1:3]) for row in lately)
