"""Track: the time its rows cover, and what is left of it when rows are drawn."""

from __future__ import annotations

import numpy as np
import pytest

from bimetal.learn.metric.blame import Blame
from bimetal.learn.metric.track import Track

LABELS = np.array([0, 0, 1, 1, 0, 0, 0, 0, 0, 0], np.int64)
TRACK = Track(
    "a", LABELS, np.arange(10.0), LABELS > 0, 36_000.0, 5, np.ones((10, 2), np.float32), (Blame(2, 3, (0,)),)
)


def test_time_is_shared_by_the_rows() -> None:
    assert len(TRACK) == 10
    assert TRACK.row_s == 3600
    assert TRACK.healthy_days == pytest.approx(8 / 24)


def test_drawn_rows_take_their_time_and_leave_the_blame() -> None:
    drawn = TRACK.rows(np.array([3, 3, 0]))
    assert drawn.labels.tolist() == [1, 1, 0]
    assert drawn.score.tolist() == [3, 3, 0]
    assert drawn.seconds == pytest.approx(3 * 3600)
    assert (drawn.share, drawn.blames) == (None, ())


def test_no_rows_take_no_time() -> None:
    nothing = Track("a", np.zeros(0, np.int64), np.zeros(0), np.zeros(0, bool), 0.0, 1)
    assert nothing.row_s == nothing.healthy_days == 0
