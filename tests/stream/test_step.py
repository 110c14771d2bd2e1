"""Devices that go on in step are found, and nothing that is not; the quick way and the long way agree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.nouns import Batch
from bimetal.stream import late
from bimetal.stream.late import Reorder, Waiting
from bimetal.stream.step import UNKNOWN_NS, in_step, lots_of
from tests.stream.given import SECOND, SIGNALS, START, part, stream


def batch(rows: list[tuple[int, int]]) -> Batch:
    """Rows of (device, second)."""
    return Batch(
        ("a", "b", "c"),
        SIGNALS,
        np.array([START + second * SECOND for _, second in rows], np.int64),
        np.array([device for device, _ in rows], np.int32),
        np.arange(2.0 * len(rows)).reshape(len(rows), 2),
    )


def test_rows_are_found_device_by_device_in_their_order() -> None:
    given_batch = batch([(2, 1), (0, 1), (2, 2), (0, 2), (2, 3)])
    lots = lots_of(given_batch, given_batch.values)
    assert lots.devices == ("a", "c")
    assert (lots.start.tolist(), lots.end.tolist()) == ([0, 2], [2, 5])
    assert lots.values[:, 0].tolist() == [2.0, 6.0, 0.0, 4.0, 8.0]
    assert [int(t - START) // SECOND for t in lots.time_ns] == [1, 2, 1, 2, 3]


@pytest.mark.parametrize("rows", [[], [(1, 0)], [(0, 0), (0, 1), (2, 0)]])
def test_rows_in_order_are_not_moved(rows: list[tuple[int, int]]) -> None:
    given_batch = batch(rows)
    lots = lots_of(given_batch, given_batch.values)
    assert lots.values.tobytes() == given_batch.values.tobytes()
    assert len(lots.devices) == len({device for device, _ in rows})
    assert in_step(lots, [START] * len(lots.devices), SECOND, START * 2).shape == (len(lots.devices),)


@pytest.mark.parametrize(
    ("seconds", "last", "expected"),
    [
        ([1, 2, 3], 0, True),
        ([1, 2, 4], 0, False),
        ([2, 3], 0, False),
        ([1, 1], 0, False),
        ([0, 1], 0, False),
        ([1, 2, 9], 0, False),
        ([1], None, False),
    ],
)
def test_a_device_is_in_step_when_no_row_is_missing_twice_or_late(
    seconds: list[int], last: int | None, expected: bool
) -> None:
    given_batch = batch([(0, 1), *((1, s) for s in seconds), (2, 1)])
    last_ns = UNKNOWN_NS if last is None else START + last * SECOND
    found = in_step(
        lots_of(given_batch, given_batch.values), [START, last_ns, START], 1.5 * SECOND, START + 5 * SECOND
    )
    assert found.tolist() == [True, expected, True]


def test_a_row_from_the_future_is_not_in_step() -> None:
    given_batch = batch([(0, 1), (0, 2)])
    lots = lots_of(given_batch, given_batch.values)
    assert in_step(lots, [START], SECOND, START + 2 * SECOND).tolist() == [True]
    assert in_step(lots, [START], SECOND, START + 2 * SECOND - 1).tolist() == [False]


Turn = tuple[list[tuple[int, int]], int]
TURNS = st.lists(
    st.tuples(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 30)), max_size=12), st.integers(0, 3)),
    max_size=6,
)


def pushed(turns: list[Turn], reorder: Reorder) -> list[str]:
    """All that becomes of batches, as text that shows every bit."""
    waiting: dict[str, Waiting] = {}
    said: list[str] = []
    now = START
    for base, (rows, pause) in enumerate(turns):
        now += pause * SECOND
        chosen = sorted((device, second + 3 * base) for device, second in rows)
        known = batch(chosen)
        # Rows of one instant are equal or not, whatever their place in the batch.
        values = np.array([[float(second % 5), float(device)] for device, second in chosen]).reshape(-1, 2)
        one = Batch(known.devices, known.signals, known.time_ns, known.device, values)
        out = reorder.push(waiting, one, now)
        waiting |= out.waiting
        said += [
            repr((part.devices, part.time_ns.tolist(), part.device.tolist(), part.values.tolist()))
            for part in (out.ready, out.late)
        ]
        said.append(repr(out.repeated))
        said += [
            repr((d, w.time_ns.tolist(), w.values.tolist(), w.last_ns, w.heard_ns, np.array(w.last).tolist()))
            for d, w in sorted(waiting.items())
        ]
    return said


@given(TURNS, st.sampled_from([0, SECOND]))
def test_the_quick_way_and_the_long_way_agree(turns: list[Turn], period_ns: int) -> None:
    reorder = Reorder(SIGNALS, period_ns=period_ns, most_rows=5)
    quick = pushed(turns, reorder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(late, "in_step", lambda lots, *_: np.zeros(len(lots.start), bool))
        assert pushed(turns, reorder) == quick


def test_a_device_in_step_takes_the_quick_way(monkeypatch: pytest.MonkeyPatch) -> None:
    reorder, whole = Reorder(SIGNALS, period_ns=SECOND), stream(240)
    now = START + 1000 * SECOND
    waiting = reorder.push({}, part(whole, 0, 30), now).waiting
    monkeypatch.setattr(late, "_merge", lambda *_: pytest.fail("it went the long way"))
    out = reorder.push(waiting, part(whole, 30, 60), now)
    assert len(out.ready) == 30


def test_what_waits_keeps_no_batch_in_memory() -> None:
    reorder, whole = Reorder(SIGNALS, period_ns=SECOND), stream(240)
    waiting = reorder.push({}, part(whole, 0, 30), START + 1000 * SECOND).waiting
    waiting = reorder.push(waiting, part(whole, 30, 60), START + 1000 * SECOND).waiting
    for queue in waiting.values():
        assert queue.last is not None
        assert all(a.base is None for a in (queue.time_ns, queue.values, queue.last))
