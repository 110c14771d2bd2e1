"""Late data: bounded waiting, order restored, nothing lost or doubled in silence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.nouns import Batch, Signal
from bimetal.stream.late import Reorder, Sorted, Waiting
from tests.stream.given import SECOND, START

SIGNALS = (Signal("x"),)
NOW = START + 1000 * SECOND


def batch(times: list[float], device: str = "a", values: list[float] | None = None) -> Batch:
    """Rows at these seconds; the value is the time unless given."""
    time_ns = START + (np.array(times) * SECOND).astype(np.int64)
    given_values = np.array(times if values is None else values, np.float64)[:, None]
    return Batch((device,), SIGNALS, time_ns, np.zeros(len(times), np.int32), given_values)


def run(reorder: Reorder, batches: list[Batch]) -> tuple[list[float], list[float], int, dict[str, Waiting]]:
    """Push batches one after the other: what went through, what was late, what was repeated, who waits."""
    waiting: dict[str, Waiting] = {}
    ready: list[float] = []
    late: list[float] = []
    repeated = 0
    for one in batches:
        done = reorder.push(waiting, one, NOW)
        waiting |= done.waiting
        repeated += done.repeated
        ready += seconds(done.ready)
        late += seconds(done.late)
    return ready, late, repeated, waiting


def seconds(given_batch: Batch) -> list[float]:
    return ((given_batch.time_ns - START) / SECOND).tolist()


def test_rows_one_period_apart_go_straight_through() -> None:
    reorder = Reorder(SIGNALS, period_ns=SECOND)
    waiting = run(reorder, [batch([0.0]), batch([1.0]), batch([2.0])])[3]
    done = reorder.push(waiting, batch([3.0]), NOW)
    assert seconds(done.ready) == [3.0]
    assert len(done.waiting["a"].time_ns) == 0


def test_a_row_that_comes_a_little_late_is_put_in_its_place() -> None:
    ready, late, _, _ = run(
        Reorder(SIGNALS, period_ns=SECOND), [batch([0, 1, 2]), batch([4]), batch([3]), batch([5])]
    )
    assert (ready, late) == ([0, 1, 2, 3, 4, 5], [])


def test_without_a_known_period_rows_wait_two_seconds() -> None:
    ready, late, _, waiting = run(Reorder(SIGNALS), [batch([0]), batch([1.5]), batch([0.5]), batch([2.6])])
    assert (ready, late) == ([0, 0.5], [])
    assert len(waiting["a"].time_ns) == 2


def test_a_row_older_than_one_let_through_is_handed_back() -> None:
    ready, late, _, _ = run(Reorder(SIGNALS), [batch([0]), batch([10]), batch([20]), batch([5]), batch([30])])
    assert (ready, late) == ([0, 10, 20], [5])


def test_no_more_than_so_many_rows_wait() -> None:
    reorder = Reorder(SIGNALS, wait_ns=10**15, most_rows=64)
    ready, late, _, waiting = run(reorder, [batch([float(k)]) for k in range(200)])
    assert ready == [float(k) for k in range(136)]
    assert len(waiting["a"].time_ns) == 64
    assert late == []


def test_the_same_row_twice_counts_once() -> None:
    again = batch([1, 2], values=[7, np.nan])
    ready, late, repeated, _ = run(
        Reorder(SIGNALS, period_ns=SECOND), [batch([-5, 0]), again, again, batch([3])]
    )
    assert (ready, repeated) == ([-5, 0, 1, 2, 3], 1)
    assert late == [1]


def test_two_different_rows_of_one_instant_both_count() -> None:
    ready, _, repeated, _ = run(Reorder(SIGNALS), [batch([0, 1]), batch([1], values=[5]), batch([9])])
    assert (ready, repeated) == ([0, 1, 1], 0)


def test_a_clock_that_jumps_ahead_does_not_mute_the_device() -> None:
    reorder = Reorder(SIGNALS, period_ns=SECOND)
    ready, late, _, _ = run(reorder, [batch([0, 1, 1e9]), batch([2, 3, 6])])
    assert (ready, late) == ([0, 1, 2, 3], [1e9])


def test_devices_do_not_wait_for_each_other() -> None:
    reorder = Reorder(SIGNALS)
    waiting = run(reorder, [batch([0], "a"), batch([1], "a")])[3]
    done = reorder.push(waiting, batch([50], "b"), NOW)
    assert set(done.waiting) == {"b"}
    assert seconds(done.ready) == []


def test_what_waits_of_a_silent_device_is_let_through() -> None:
    reorder = Reorder(SIGNALS)
    waiting = reorder.push({}, batch([0, 1]), NOW).waiting
    assert seconds(reorder.flush(waiting, NOW + SECOND).ready) == []
    assert seconds(reorder.flush(waiting, NOW + 2 * SECOND).ready) == [0, 1]
    done = reorder.flush(waiting)
    assert seconds(done.ready) == [0, 1]
    assert seconds(reorder.push(done.waiting, batch([0.5]), NOW).late) == [0.5]


def test_columns_are_matched_by_name() -> None:
    other = Batch(
        ("a",), (Signal("y"), Signal("x")), np.array([START]), np.zeros(1, np.int32), np.array([[1.0, 2.0]])
    )
    done: Sorted = Reorder((Signal("x"), Signal("z"))).push({}, other, NOW)
    assert done.waiting["a"].values.tolist()[0][0] == 2.0
    assert np.isnan(done.waiting["a"].values[0, 1])


@pytest.mark.parametrize("rows", [[], [0.0]])
def test_small_batches_do_no_harm(rows: list[float]) -> None:
    reorder = Reorder(SIGNALS)
    done = reorder.push({}, batch(rows), NOW)
    assert len(done.ready) == len(done.late) == 0
    assert len(reorder.flush({}).ready) == 0


@given(
    st.lists(st.tuples(st.integers(0, 12), st.sampled_from("ab"), st.integers(0, 40)), max_size=25),
    st.sets(st.integers(0, 80)),
)
def test_looking_meanwhile_makes_no_difference(arrivals: list[tuple[int, str, int]], looks: set[int]) -> None:
    """Each arrival: a row's time, its device, and when it comes; looks: when somebody settles meanwhile."""

    def said(looked: set[int]) -> dict[str, list[float]]:
        reorder, found = Reorder(SIGNALS, period_ns=SECOND), dict[str, list[float]]()
        waiting: dict[str, Waiting] = {}
        for now, (time_s, device, _) in sorted(
            [(2 * a[2], a) for a in arrivals] + [(k, (0, "", 0)) for k in looked], key=lambda one: one[0]
        ):
            now_ns = START + now * SECOND
            if device:
                done = reorder.push(waiting, batch([float(time_s)], device), now_ns)
            else:
                done = reorder.flush(waiting, now_ns)
            waiting |= done.waiting
            for k, seen in zip(done.ready.device.tolist(), seconds(done.ready), strict=True):
                found.setdefault(done.ready.devices[k], []).append(seen)
        for k, seen in zip(
            (last := reorder.flush(waiting).ready).device.tolist(), seconds(last), strict=True
        ):
            found.setdefault(last.devices[k], []).append(seen)
        return found

    assert said(set()) == said(looks)


def test_a_message_sent_again_counts_once_though_its_instant_came_in_pieces() -> None:
    one, two = batch([1], values=[7]), batch([1], values=[np.nan])
    reorder = Reorder(SIGNALS, period_ns=SECOND)
    ready, late, repeated, waiting = run(reorder, [batch([-5, 0]), one, two, one, two, batch([2])])
    assert (ready, late, repeated) == ([-5, 0, 1, 1, 2], [], 2)
    last = waiting["a"].last
    assert last is not None
    assert last.tolist() == [[2.0]]


def test_what_is_remembered_of_an_instant_is_bounded() -> None:
    reorder = Reorder(SIGNALS, period_ns=SECOND)
    waiting = run(reorder, [batch([0, 0.5]), *(batch([1], values=[float(k)]) for k in range(500))])[3]
    last = waiting["a"].last
    assert last is not None
    assert len(last) == 64


@given(st.lists(st.integers(0, 30), max_size=40), st.sampled_from([0, SECOND]), st.integers(1, 8))
def test_nothing_is_lost_or_out_of_order(times: list[int], period_ns: int, most: int) -> None:
    reorder = Reorder(SIGNALS, most_rows=most, period_ns=period_ns)
    batches = [batch([float(t)], values=[float(k)]) for k, t in enumerate(times)]
    ready, late, repeated, waiting = run(reorder, batches)
    rest = seconds(reorder.flush(waiting).ready)
    assert sorted(ready + late + rest) == sorted(float(t) for t in times)
    assert ready + rest == sorted(ready + rest)
    assert repeated == 0
    assert all(len(w.time_ns) <= most for w in waiting.values())
