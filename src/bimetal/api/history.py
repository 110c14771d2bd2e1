"""The backlog a late listener gets: what is held of a device, in as few points as the picture needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from bimetal.api.downsample import m4, with_gaps
from bimetal.api.frame import Block, Content
from bimetal.nouns.signal import Signal

STRETCHES = 80
"""Stretches of time a small chart is drawn from; four points each."""


def sparse(signals: Sequence[Signal]) -> NDArray[np.bool_]:
    """Say which signals come more rarely than the fastest, so that a missing value of theirs is no gap."""
    periods = np.array([s.period_s for s in signals])
    known = periods[periods > 0]
    fastest = known.min() if len(known) else np.inf
    return periods > 1.5 * fastest


def blocks_of(
    content: Content,
    device: int,
    rows: tuple[NDArray[np.int64], NDArray[np.float64]],
    signals: Sequence[Signal],
    *,
    stretches: int = STRETCHES,
    replace: bool = False,
) -> Iterator[Block]:
    """Yield the blocks for these rows of a device: as they are when few, drawn down to M4 when many.

    Few is at most four rows for each of the `stretches`; then one block carries all columns.
    """
    time_ns, values = rows
    if len(time_ns) <= 4 * stretches and not replace:
        if len(time_ns):
            yield Block(content, device, time_ns, values)
        return
    rare = sparse(signals) if content is Content.READINGS else np.zeros(1, np.bool_)
    for column in range(values.shape[1]):
        period_ns = signals[column].period_s * 1e9 if content is Content.READINGS else 0.0
        one_time, one = time_ns, values[:, column]
        if rare[column]:
            there = np.isfinite(one)
            one_time, one = one_time[there], one[there]
        one_time, one = with_gaps(one_time, one, period_ns)
        kept = m4(one_time, one, stretches)
        yield Block(content, device, one_time[kept], one[kept, None], first=column, replace=replace)
