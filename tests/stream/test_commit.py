"""Commits: times counted by their size, and the shares that are read from them."""

from __future__ import annotations

import numpy as np
import pytest

from bimetal.stream.commit import UP_TO_MS, Commits


@pytest.mark.parametrize("seed", range(3))
def test_a_share_is_told_to_a_tenth(seed: int) -> None:
    waits_ms = np.random.default_rng(seed).lognormal(1.0, 1.0, 5_000)
    now_ns = 1_767_225_600_000_000_000
    commits = Commits()
    for part in np.array_split(waits_ms, 7):
        commits.add([now_ns - round(w * 1e6) for w in part.tolist()], now_ns)
    assert sum(commits.counts) == 5_000
    for share in (0.01, 0.5, 0.99):
        told = commits.share_ms(share)
        exact = float(np.quantile(waits_ms, share, method="inverted_cdf"))
        assert told is not None
        assert exact <= told * 1.0001
        assert told <= exact * 1.11


def test_what_takes_too_long_is_counted_and_not_told() -> None:
    commits = Commits()
    assert commits.share_ms(0.5) is None
    commits.add([0, 0, 10**11], 10**11)
    assert commits.counts[-1] == 2
    assert commits.share_ms(0.1) == UP_TO_MS[0]
    assert commits.share_ms(0.9) is None
    before = commits.counts
    commits.add([10**11], 10**11 + 10**6)
    assert commits.since(before).share_ms(0.5) == pytest.approx(1.0, rel=0.11)
