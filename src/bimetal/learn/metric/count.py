"""Count: alarms and rows held against labels: events found, false alarms, F1 with its two rates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Count:
    """What alarms did on labelled rows; counts add up over series."""

    events: int = 0
    found: int = 0
    false_alarms: int = 0
    healthy_rows: int = 0
    hit: int = 0
    false: int = 0
    missed: int = 0
    delays: tuple[int, ...] = ()

    def __add__(self, other: Count) -> Count:
        return Count(*(getattr(self, f) + getattr(other, f) for f in self.__slots__))

    @property
    def f1(self) -> float:
        """Row by row."""
        return 2 * self.hit / max(2 * self.hit + self.false + self.missed, 1)

    @property
    def far(self) -> float:
        """The part of healthy rows in alarm."""
        return self.false / max(self.healthy_rows, 1)

    @property
    def mar(self) -> float:
        """The part of faulty rows not in alarm."""
        return self.missed / max(self.hit + self.missed, 1)


def runs_of(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return first and last row of every run of true rows."""
    edges = np.diff(np.concatenate([[0], flags.astype(np.int8), [0]]))
    firsts, lasts = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    return [(int(a), int(b)) for a, b in zip(firsts, lasts, strict=True)]


def count(labels: Labels, alarm: NDArray[np.bool_]) -> Count:
    """Count found events, alarms that began on healthy rows, and rows."""
    bad = labels > 0
    events = runs_of(bad)
    delays = tuple(int(np.argmax(alarm[a : b + 1])) for a, b in events if alarm[a : b + 1].any())
    false_alarms = sum(not bad[a] for a, _ in runs_of(alarm))
    return Count(
        len(events),
        len(delays),
        false_alarms,
        int((~bad).sum()),
        int((bad & alarm).sum()),
        int((~bad & alarm).sum()),
        int((bad & ~alarm).sum()),
        delays,
    )
