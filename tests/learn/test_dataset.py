"""A history stays within its memory, covers the whole time, and leaves out what is bad."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bimetal.learn.dataset import BLOCK, MOST_SIGNALS, History, history_of
from bimetal.nouns import Batch, Signal
from bimetal.nouns.errors import BadInput
from tests.learn.given import batch_of, readings


def counted(rows: int, device: str = "pump", start: int = 0) -> Batch:
    return batch_of((start + np.arange(rows, dtype=float))[:, None], device, start)


def test_memory_is_bounded_and_the_whole_time_is_covered() -> None:
    history = History(counted(1).signals, most_rows=16 * BLOCK)
    for start in range(0, 200 * BLOCK, 700):
        history.add(counted(700, start=start))
    assert history.rows <= 16 * BLOCK
    held = history.values("pump")[:, 0]
    assert history.rows == len(held) >= 7 * BLOCK
    seen = history.rows_seen
    assert held[0] < 0.1 * seen
    assert held[-1] == seen - 1
    shares = np.histogram(held, bins=4, range=(0, seen))[0] / len(held)
    assert shares.min() > 0.1
    for stretch in history.stretches("pump"):
        assert (np.diff(stretch[:, 0]) == 1).all()


def test_the_one_with_the_most_gives_way_first() -> None:
    history = History(counted(1).signals, most_rows=8 * BLOCK)
    history.add(counted(500, "rare"))
    history.add(counted(60 * BLOCK, "busy"))
    assert len(history.values("rare")) == 500
    assert history.rows <= 8 * BLOCK


def test_bad_rows_are_left_out_and_counted() -> None:
    history = History(counted(1).signals)
    history.add(counted(100), bad=np.arange(100) < 30)
    assert history.rows == 70
    assert (history.rows_seen, history.rows_bad) == (100, 30)
    assert history.values("pump")[0, 0] == 30
    assert (history.first_ns, history.last_ns) == (0, 99 * 60_000_000_000)


def test_devices_in_one_batch_are_told_apart() -> None:
    one = counted(6)
    mixed = replace(one, devices=("b", "a"), device=np.array([0, 1, 0, 1, 1, 0], np.int32))
    history = history_of([mixed])
    assert history.devices == ("a", "b")
    assert history.values("a")[:, 0].tolist() == [1, 3, 4]


def test_too_little_or_too_much_is_refused_in_words() -> None:
    with pytest.raises(BadInput, match="10 healthy rows are too few") as said:
        history_of([counted(10)]).check()
    assert "64" in str(said.value.hint)
    with pytest.raises(BadInput, match="nothing to learn from"):
        history_of([])
    with pytest.raises(BadInput, match="no signal"):
        History(()).check()
    many = History(tuple(Signal(f"s{k}") for k in range(MOST_SIGNALS + 1)))
    with pytest.raises(BadInput, match=str(MOST_SIGNALS)):
        many.check()
    with pytest.raises(BadInput, match="signals"):
        history_of([counted(70)]).add(batch_of(readings(5)))


def test_a_part_is_that_part_of_every_stretch() -> None:
    history = history_of([batch_of(readings(1000, 1), device=name) for name in ("a", "b")])
    early, late = history.part(0, 0.6), history.part(0.6, 1)
    assert early.devices == late.devices == ("a", "b")
    assert (early.rows, late.rows) == (1200, 800)
    for device in "ab":
        assert np.array_equal(
            np.concatenate([early.values(device), late.values(device)]), history.values(device)
        )
    early.check()
