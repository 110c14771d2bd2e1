"""Servers that are made up: spells of known rates, costs, memory and disk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bimetal.stream.meter import History, Spell

MINUTE = 60 * 10**9
DAY = 1440 * MINUTE
NOW = 1_700_000_000 * 10**9
GIGA = 10**9

STILL = Spell(
    0,
    0,
    sealed_rows=1_000_000,
    sealed_bytes=2_000_000,
    kept_bytes=GIGA,
    disk_free=10**6 * GIGA,
    memory_bytes=100_000_000,
    memory_limit=GIGA,
)
"""A server of one gigabyte of memory and a million of disk, whose readings take two bytes each."""


def history(
    rate: Callable[[float], float],
    spells: int = 60,
    seconds: float = 60.0,
    like: Spell = STILL,
    reading_us: float = 20.0,
    idle: float = 0.05,
    memory: Callable[[float], float] | None = None,
) -> History:
    """Return what a server noted till NOW; `rate` and `memory` are told how many days ago, below zero.

    Five or ten batches a second; a reading costs `reading_us`, half of it scoring, a batch nothing by itself.
    """
    found: list[Spell] = []
    for k in range(spells):
        end_ns = NOW - round((spells - 1 - k) * seconds * 1e9)
        days = (end_ns - NOW) / DAY
        calls = round((5 + 5 * (k % 2)) * seconds)
        apart = np.arange(calls) % 3 - 1 if rate(days) >= 10 else np.zeros(calls, np.int64)
        each = round(rate(days) * seconds / calls) + apart
        readings = int(each.sum())
        cost = readings * reading_us * 1e-6
        held = like.memory_bytes if memory is None else round(memory(days))
        found.append(
            replace(
                like,
                begin_ns=end_ns - round(seconds * 1e9),
                end_ns=end_ns,
                readings=readings,
                messages=readings,
                calls=calls,
                squares=float((each**2).sum()),
                products=float((each**2).sum()) * reading_us * 1e-6,
                decode_s=cost / 4,
                keep_s=cost / 4,
                score_s=cost / 2,
                process_s=cost + idle * seconds,
                memory_bytes=held,
            )
        )
    return History(tuple(found))
