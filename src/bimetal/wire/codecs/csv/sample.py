"""Sample: rows to judge a table by, taken in runs from all over it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from bimetal.wire.codecs.csv.parse import LONGEST_TEXT
from bimetal.wire.table.column import Cells
from bimetal.wire.table.dialect import Dialect, split_line

MOST_CELLS = 600_000
MOST_ROWS = 60_000
FEWEST_ROWS = 40
RUNS = 7


def lines_of(text: str) -> list[str]:
    """Split text into lines, however they end."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[:-1] if lines and not lines[-1] else lines


def sample_rows(runs: Iterable[list[str]], dialect: Dialect) -> tuple[list[list[str]], tuple[int, ...]]:
    """Choose rows to look at, in runs of rows that follow each other; return (rows, where runs start)."""
    most = max(min(MOST_CELLS // max(dialect.width, 1), MOST_ROWS), FEWEST_ROWS)
    kept = [
        [r for r in run if r.strip() and not (dialect.comment and r.lstrip().startswith(dialect.comment))]
        for run in runs
    ]
    if sum(map(len, kept)) > most and len(kept) == 1:
        step = len(kept[0]) // (RUNS + 1)
        size = most // (RUNS + 1)
        kept = [kept[0][at * step : at * step + size] for at in range(RUNS)] + [kept[0][-size:]]
    rows: list[list[str]] = []
    starts: list[int] = []
    for run in kept:
        if run:
            starts.append(len(rows))
            rows += [
                split_line(line, dialect.separator)
                for line in run[: max(most // len(kept), FEWEST_ROWS // len(kept))]
            ]
    return rows, tuple(starts)


def columns_of(rows: list[list[str]], width: int) -> tuple[Cells, ...]:
    """Turn rows of cells into columns, each cell cut at LONGEST_TEXT bytes."""
    fitted = [r if len(r) <= width else r[:1] for r in rows]
    columns = list(zip_longest(*fitted, fillvalue=""))
    columns += [("",) * len(rows)] * (width - len(columns))
    return tuple(Cells(text=_packed(column)) for column in columns)


def _packed(column: tuple[str, ...]) -> NDArray[np.bytes_]:
    cells = [c.encode("utf-8", "replace")[:LONGEST_TEXT] for c in column]
    return np.array(cells, dtype=np.bytes_) if any(cells) else np.zeros(len(cells), dtype="S1")
