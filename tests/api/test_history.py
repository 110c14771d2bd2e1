"""The backlog: few rows as they are, many drawn down, gaps marked, slow signals not called broken."""

from __future__ import annotations

import numpy as np

from bimetal.api.frame import Block, Content
from bimetal.api.history import blocks_of, sparse
from bimetal.nouns.signal import Signal

FAST, SLOW = Signal("fast", period_s=1.0), Signal("slow", period_s=10.0)
SECOND = 10**9


def rows(count: int) -> tuple[np.ndarray, np.ndarray]:
    time_ns = np.arange(count, dtype=np.int64) * SECOND
    fast = np.sin(np.arange(count) / 20)
    slow = np.where(np.arange(count) % 10 == 0, fast, np.nan)
    return time_ns, np.column_stack([fast, slow])


def blocks(count: int, *, stretches: int, replace: bool = False) -> list[Block]:
    given = rows(count)
    return list(blocks_of(Content.READINGS, 2, given, (FAST, SLOW), stretches=stretches, replace=replace))


def test_no_rows_are_no_blocks() -> None:
    assert blocks(0, stretches=5) == []


def test_few_rows_go_in_one_block() -> None:
    (one,) = blocks(20, stretches=5)
    assert one.values.shape == (20, 2)
    assert (one.device, one.first, one.replace) == (2, 0, False)


def test_many_rows_are_drawn_down_column_by_column() -> None:
    fast, slow = blocks(500, stretches=20)
    assert (fast.first, slow.first) == (0, 1)
    assert fast.values.shape[1] == 1
    assert len(fast.time_ns) <= 5 * 20
    assert fast.time_ns[0] == 0
    assert fast.time_ns[-1] == 499 * SECOND


def test_a_slow_signal_has_no_gaps_between_its_readings() -> None:
    _, slow = blocks(500, stretches=20)
    assert np.isfinite(slow.values).all()


def test_a_silence_is_marked() -> None:
    time_ns, values = rows(400)
    kept = (np.arange(400) < 100) | (np.arange(400) >= 150)
    fast, _ = blocks_of(Content.READINGS, 0, (time_ns[kept], values[kept]), (FAST, SLOW), stretches=20)
    gap = fast.time_ns[np.isnan(fast.values[:, 0])]
    assert gap.tolist() == [100 * SECOND]


def test_a_wish_for_detail_replaces_even_a_few_rows() -> None:
    assert [b.replace for b in blocks(3, stretches=5, replace=True)] == [True, True]


def test_scores_have_one_column_and_a_guessed_period() -> None:
    time_ns, values = rows(400)
    kept = np.arange(400) % 100 < 90
    score = (time_ns[kept], values[kept][:, :1])
    (one,) = blocks_of(Content.SCORES, 0, score, (Signal("score"),), stretches=20)
    assert np.isnan(one.values).sum() == 3


def test_which_signals_are_slow_is_told_by_their_periods() -> None:
    assert sparse((FAST, SLOW, Signal("unknown"))).tolist() == [False, True, False]
    assert sparse((Signal("unknown"),)).tolist() == [False]
