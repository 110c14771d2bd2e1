"""Verdict: whether what was seen stayed flat: the last quarter against the first, and the slope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bench.soak.look import Look

WARM = 0.1
"""So much of the time, at first, is not judged: caches fill, devices become known."""
GROWTH, GROWTH_BYTES = 0.05, 10e6
"""Memory may be so much larger in the last quarter than in the first: the larger of the two."""
BLOCKS = 24
_T = (12.7, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.2, 2.18, 2.16, 2.14, 2.13, 2.12, 2.11)
"""Student's t for 95 %, by degrees of freedom; 2.09 for more."""


@dataclass(frozen=True, slots=True)
class Course:
    """How one figure went: its median in the first and the last quarter, its slope an hour, and how sure."""

    name: str
    first: float
    last: float
    slope: float
    apart: float
    most: float


def course(name: str, passed_s: NDArray[np.float64], values: NDArray[np.float64]) -> Course:
    """Judge one figure; the slope is a line through the medians of 24 blocks, with its 95 % interval.

    Looks that follow each other are alike (a journal grows until it is sealed), blocks less so.
    """
    quarter = max(len(values) // 4, 1)
    blocks = max(min(BLOCKS, len(values)), 1)
    hours = np.array([np.mean(b) for b in np.array_split(passed_s, blocks)]) / 3600
    heights = np.array([np.median(b) for b in np.array_split(values, blocks)])
    slope = apart = float("nan")
    if blocks > 2:
        away = hours - hours.mean()
        slope = float(away @ heights / (away @ away))
        off = heights - heights.mean() - slope * away
        error = float(np.sqrt(off @ off / (blocks - 2) / (away @ away)))
        apart = error * (_T[blocks - 3] if blocks - 3 < len(_T) else 2.09)
    first, last = float(np.median(values[:quarter])), float(np.median(values[-quarter:]))
    return Course(name, first, last, slope, apart, float(values.max()))


def judged(looks: Sequence[Look]) -> list[Look]:
    """The looks after the time that is not judged."""
    ends = looks[-1].passed_s if looks else 0.0
    return [look for look in looks if look.passed_s >= WARM * ends]


def courses(looks: Sequence[Look]) -> list[Course]:
    """How every figure went, those after the warming up."""
    kept = judged(looks)
    passed = np.array([look.passed_s for look in kept])

    def of(name: str, values: Sequence[float]) -> Course:
        return course(name, passed, np.array(values, float))

    rates = [(b.acknowledged - a.acknowledged) / (b.passed_s - a.passed_s) for a, b in pairwise(kept)]
    busy = [(b.cpu_s - a.cpu_s) / (b.passed_s - a.passed_s) for a, b in pairwise(kept)]
    return [
        of("memory of its own, MB", [look.own / 1e6 for look in kept]),
        of("memory, RSS, MB", [look.rss / 1e6 for look in kept]),
        of("open files", [look.files for look in kept]),
        of("threads", [look.threads for look in kept]),
        of("bytes a reading on disk", [look.disk / max(look.readings, 1) for look in kept]),
        of("journal, MB", [look.journal / 1e6 for look in kept]),
        of("session file, MB", [look.sessions / 1e6 for look in kept]),
        of("segments", [look.segments for look in kept]),
        of("ack ms, p50", [look.ack_p50_ms for look in kept]),
        of("ack ms, p99", [look.ack_p99_ms for look in kept]),
        of("query, s", [look.query_s for look in kept]),
        of("acknowledged messages/s", [*rates, rates[-1]] if rates else [0.0] * len(kept)),
        of("processors, server", [*busy, busy[-1]] if busy else [0.0] * len(kept)),
    ]


def grew(looks: Sequence[Look]) -> bool:
    """Whether memory is larger at last than it may be."""
    memory = courses(looks)[0]
    return memory.last - memory.first > max(GROWTH * memory.first, GROWTH_BYTES / 1e6)


def table(looks: Sequence[Look]) -> str:
    """The figures as a Markdown table."""
    lines = [
        "| what | first quarter | last quarter | change | slope an hour (95 %) | most |",
        "|---|---|---|---|---|---|",
    ]
    for c in courses(looks):
        change = f"{c.last / c.first - 1:+.1%}" if c.first else "-"
        slope = f"{c.slope:+,.3g} ± {c.apart:,.2g}"
        lines.append(f"| {c.name} | {c.first:,.2f} | {c.last:,.2f} | {change} | {slope} | {c.most:,.2f} |")
    return "\n".join(lines)
