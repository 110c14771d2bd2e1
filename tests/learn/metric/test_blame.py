"""Blame: which part of the signals at fault is named, and whether the first one is."""

from __future__ import annotations

import numpy as np

from bimetal.learn.metric.blame import Blame, first_right, hit_rate

SHARE = np.tile(np.array([0.1, 0.5, 0.3, 0.05, 0.05], np.float32), (20, 1))


def test_hits_among_as_many_as_were_at_fault() -> None:
    assert hit_rate([Blame(2, 5, (1, 2))], SHARE) == [1.0]
    assert hit_rate([Blame(2, 5, (1, 0))], SHARE) == [0.5]
    assert hit_rate([Blame(2, 5, (4,))], SHARE) == [0.0]


def test_half_as_many_again_may_be_named() -> None:
    assert hit_rate([Blame(2, 5, (1, 0))], SHARE, 1.5) == [1.0]


def test_the_first_named() -> None:
    assert first_right([Blame(0, 1, (1, 4)), Blame(0, 1, (2,))], SHARE) == [1.0, 0.0]


def test_the_rows_of_the_event_alone_count() -> None:
    share = SHARE.copy()
    share[10:12] = [0, 0, 0, 0, 1]
    assert first_right([Blame(10, 11, (4,))], share) == [1.0]
    assert first_right([Blame(9, 9, (4,))], share) == [0.0]
