"""The picture: what drawing a series needs, the same from segments, from the journal, and from both."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bimetal.keep.picture import Picture
from bimetal.keep.rows import Rows
from bimetal.keep.segment import Segments
from bimetal.keep.thin import m4
from bimetal.nouns import Batch, Signal
from tests.keep.given import SECOND, START, batch

SIGNAL = Signal("vibration", "mm/s")


def rows_of(values: list[float], first: int = 0) -> Rows:
    n = len(values)
    times = START + (first + np.arange(n, dtype=np.int64)) * SECOND
    return Rows(
        (("pump", "x"),), np.zeros(n, np.int32), times, np.array(values, float), np.zeros(n, np.uint8)
    )


@given(
    st.lists(st.floats(-1e9, 1e9, width=32), min_size=1, max_size=200),
    st.integers(1, 12),
    st.lists(st.integers(0, 200), max_size=5),
    st.randoms(use_true_random=False),
)
def test_pieces_in_any_order_give_the_picture_of_the_whole(
    values: list[float], stretches: int, cuts: list[int], random: object
) -> None:
    whole = rows_of(values)
    window = int(whole.time_ns[0]), int(whole.time_ns[-1])
    edges = sorted({0, len(values), *(c for c in cuts if c < len(values))})
    pieces = [whole.part(slice(a, b)) for a, b in pairwise(edges)]
    random.shuffle(pieces)  # type: ignore[attr-defined]
    picture = Picture(*window, stretches)
    for piece in pieces:
        picture.add(piece)
        picture._parts = [picture.rows()]
    drawn = picture.rows()
    kept = m4(whole.time_ns, whole.value, stretches, window)
    assert drawn.time_ns.tolist() == whole.time_ns[kept].tolist()
    assert drawn.value.tolist() == whole.value[kept].tolist()


@settings(max_examples=20)
@given(st.integers(0, 6), st.booleans(), st.integers(-5, 90), st.integers(1, 100))
def test_a_picture_holds_the_extremes_and_ends_of_each_stretch(
    tmp_path_factory: pytest.TempPathFactory, sealed: int, tended: bool, since: int, length: int
) -> None:
    segments = Segments(tmp_path_factory.mktemp("kept"))
    for k in range(6):
        segments.append(batch(20, start=14 * k, seed=k, devices=("pump",)))
        if k < sealed:
            segments.seal()
    while tended and segments.tend():
        pass
    window = START + since * SECOND, START + (since + length) * SECOND
    column = segments.read("pump", "pressure", *window)
    drawn = segments.picture("pump", "pressure", *window, stretches=3)
    assert set(zip(drawn.time_ns.tolist(), drawn.value.tolist(), strict=True)) <= set(
        zip(column.time_ns.tolist(), column.value.tolist(), strict=True)
    )
    assert len(drawn.time_ns) <= 12 or len(drawn.time_ns) == len(column.time_ns)
    if len(column.value):
        assert (drawn.value.min(), drawn.value.max()) == (column.value.min(), column.value.max())
        assert (drawn.time_ns[0], drawn.time_ns[-1]) == (column.time_ns[0], column.time_ns[-1])
    segments.close()


def test_memory_does_not_grow_with_the_series(tmp_path: Path) -> None:
    segments = Segments(tmp_path, seal_readings=250_000)
    random = np.random.default_rng(0)
    peaks: list[int] = []
    for k in range(20):
        values = random.normal(0, 1, (50_000, 1))
        if k == 2:
            values[777] = 99.0
        times = START + (50_000 * k + np.arange(50_000, dtype=np.int64)) * SECOND
        segments.append(Batch(("pump",), (SIGNAL,), times, np.zeros(50_000, np.int32), values))
        if k in (4, 19):
            segments.seal()
            tracemalloc.start()
            drawn = segments.picture("pump", "vibration", stretches=500)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
            assert len(drawn.value) <= 2000
            assert START + (50_000 * 2 + 777) * SECOND in drawn.time_ns
    assert peaks[1] < 1.2 * peaks[0]
    segments.close()


def test_nothing_gives_an_empty_picture(tmp_path: Path) -> None:
    segments = Segments(tmp_path)
    assert len(segments.picture("pump", "pressure").time_ns) == 0
    segments.append(batch(4))
    assert len(segments.picture("pump", "pressure", START + 100 * SECOND).time_ns) == 0
    assert len(segments.picture("pump", "pressure", stretches=1).time_ns) == 2
    segments.close()


def test_stretches_are_right_however_far_apart_times_are() -> None:
    times = np.array([-(2**62), -(2**61), 0, 2**61, 2**62 - 1] * 2, np.int64)
    times.sort()
    kept = m4(times, np.arange(10.0), 2)
    assert {0, 9} <= set(kept.tolist())
    assert len(kept) <= 8
