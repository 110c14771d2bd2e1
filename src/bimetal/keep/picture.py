"""Picture: a series in as few points as a drawing of it needs, read piece by piece (see thin.py)."""

from __future__ import annotations

import numpy as np

from bimetal.keep.asked import Asked
from bimetal.keep.rows import Rows, held_in, join
from bimetal.keep.sealed_file import Opened
from bimetal.keep.thin import m4

_WAITING = 1 << 16


class Picture:
    """One series from first to last in at most four points for each of the equal stretches of time.

    Pieces may come in any order; memory is bounded by a piece and the points.
    """

    def __init__(self, first_ns: int, last_ns: int, stretches: int) -> None:
        self._window = first_ns, last_ns
        self._stretches = stretches
        self._parts: list[Rows] = []

    def add(self, rows: Rows) -> None:
        """Take a piece of the series in; none of its times may have come before."""
        self._parts.append(rows)
        if sum(len(part) for part in self._parts) > _WAITING + 8 * self._stretches:
            self._parts = [self.rows()]

    def rows(self) -> Rows:
        """Return the points to draw of what came so far, in order of time."""
        whole = join(self._parts)
        whole = whole.part(np.argsort(whole.time_ns, kind="stable"))
        return whole.part(m4(whole.time_ns, whole.value, self._stretches, self._window))


def draw(opened: Opened, fresh: Rows, asked: Asked, stretches: int) -> Rows:
    """Return the picture of the one series that is asked for, from open segments and what is newer.

    `fresh` are tidy rows that no segment holds, and correct those of the segments.
    """
    spans = [(h.first_ns, h.last_ns) for _, held in opened.parts for h in held]
    spans += [(h.first_ns, h.last_ns) for h in held_in(fresh)]
    if not spans:
        return fresh
    first = max(asked.since_ns, min(a for a, _ in spans))
    last = min(asked.until_ns - 1, max(b for _, b in spans))
    picture = Picture(first, last, stretches)
    for file, held in opened.parts:
        for rows in (rows for h in held for rows in file.pieces(h, asked.since_ns, asked.until_ns)):
            picture.add(rows.part(~np.isin(rows.time_ns, fresh.time_ns)) if len(fresh) else rows)
        file.close()
    picture.add(fresh)
    return picture.rows()
