"""A ring keeps the newest rows, counts every one, and never goes back in time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.api.ring import Ring


def put(ring: Ring, *times: int) -> int:
    at = np.array(times, np.int64)
    return ring.append(at, np.column_stack([at * 1.0, at * 2.0]))


def test_an_empty_ring_has_no_newest_time_and_no_rows() -> None:
    ring = Ring(4, 2)
    assert ring.newest_ns is None
    times, values = ring.after_mark(0)
    assert times.shape == (0,)
    assert values.shape == (0, 2)


def test_the_oldest_rows_go_first() -> None:
    ring = Ring(3, 2)
    put(ring, 1, 2)
    put(ring, 3, 4)
    times, values = ring.after_mark(0)
    assert times.tolist() == [2, 3, 4]
    assert values.tolist() == [[2, 4], [3, 6], [4, 8]]
    assert ring.written == 4


def test_a_batch_larger_than_the_ring_leaves_its_end() -> None:
    ring = Ring(3, 2)
    put(ring, *range(10))
    assert ring.after_mark(0)[0].tolist() == [7, 8, 9]
    assert ring.written == 10


def test_late_rows_are_counted_and_left_out() -> None:
    ring = Ring(8, 2)
    put(ring, 10, 20)
    assert put(ring, 5, 15, 20, 25) == 2
    assert ring.after_mark(0)[0].tolist() == [10, 20, 20, 25]
    assert put(ring, 1) == 1
    assert ring.written == 4


def test_a_mark_gets_what_came_after_it() -> None:
    ring = Ring(8, 2)
    put(ring, 1, 2, 3)
    mark = ring.written
    assert len(ring.after_mark(mark)[0]) == 0
    put(ring, 4)
    assert ring.after_mark(mark)[0].tolist() == [4]
    assert len(ring.after_mark(mark + 100)[0]) == 0


def test_a_time_gets_what_is_later() -> None:
    ring = Ring(8, 2)
    put(ring, 1, 2, 2, 3)
    assert ring.after_time(2)[0].tolist() == [3]
    assert ring.after_time(-5)[0].tolist() == [1, 2, 2, 3]
    assert ring.after_time(3)[0].tolist() == []


def test_what_is_handed_out_is_a_copy() -> None:
    ring = Ring(4, 2)
    put(ring, 1)
    ring.after_mark(0)[1][:] = 99
    assert ring.after_mark(0)[1].tolist() == [[1, 2]]


@given(
    st.lists(st.lists(st.integers(0, 50), max_size=12).map(sorted), max_size=12), st.integers(1, 9), st.data()
)
def test_it_is_a_list_cut_to_its_end(batches: list[list[int]], room: int, data: st.DataObject) -> None:
    ring, kept, late = Ring(room, 2), list[int](), 0
    for batch in batches:
        late += put(ring, *batch)
        kept += [t for t in batch if not kept or t >= kept[-1]]
    assert ring.written == len(kept)
    assert late == sum(map(len, batches)) - len(kept)
    mark = data.draw(st.integers(0, len(kept)))
    assert ring.after_mark(mark)[0].tolist() == kept[max(mark, len(kept) - room) :]


@pytest.mark.parametrize("extreme", [np.iinfo(np.int64).min, np.iinfo(np.int64).max])
def test_the_ends_of_time_fit(extreme: int) -> None:
    ring = Ring(2, 2)
    put(ring, extreme)
    assert ring.newest_ns == extreme
