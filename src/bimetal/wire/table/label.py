"""Label: which columns of a stranger's table say what was wrong, and so must not be learned from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bimetal.wire.table.bag import bag
from bimetal.wire.table.cell import Marks, number_of
from bimetal.wire.table.column import Column
from bimetal.wire.table.name import words_of

ANSWERS = bag(
    "label labels anomaly anomalies anomalous fault faults faulty failure failures failed target class "
    "outlier outliers attack attacks ground truth changepoint changepoints broken defect"
)
ALONGSIDE = bag(
    "is has machine binary type kind id name code flag true gt attack cat category any status state "
    "condition point points change system event next"
)
CONDITIONS = bag("status state condition health mode operation")
HEALTHY = bag(
    "0 0.0 false no normal ok okay healthy good benign none nominal nofault no_fault no-fault no_failure "
    "no-failure running baseline f n"
) | {"no fault", "no failure", ""}
FAULTY = bag(
    "broken fault faulty failure failed anomaly anomalous alarm attack bad defect defective error outlier "
    "abnormal recovering warning critical ddos dos injection backdoor malware scanning"
)
MOST_CLASSES = 100
MOST_SEEN = 1000
LIFE = frozenset(("rul", "ttf", "remaininguseful", "remainingusefullife", "timetofailure"))


def answers(column: Column) -> bool:
    """Whether a column tells the answer: a label, a fault flag, a class, or the life that is left."""
    words = [w for w in words_of(column.heading) if not w.isdigit()]
    if not words or column.cells.ns is not None:
        return False
    if "".join(words) in LIFE:
        return True
    count = len(column.distinct) if column.is_number else len(column.values)
    named = all(w in ANSWERS | ALONGSIDE for w in words) and any(w in ANSWERS for w in words)
    if named and count <= MOST_CLASSES and (column.is_whole or not column.is_number):
        return True
    kept = {v.strip().casefold() for v in column.values} if not column.is_number else set[str]()
    states = bool(set(words) & CONDITIONS) and bool(kept & (HEALTHY - {""})) and bool(kept & FAULTY)
    return states and count <= MOST_CLASSES


def find_label(columns: Sequence[Column]) -> Column | None:
    """Return the column that says best which rows are not normal, or None."""
    found = [c for c in columns if answers(c) and "".join(words_of(c.heading)) not in LIFE]
    told = [c for c in found if not labels_of(c.text(), minus=has_minus(c)).all()]

    def rank(column: Column) -> tuple[bool, int]:
        return "change" in "".join(words_of(column.heading)), column.place

    return min(told, key=rank) if told else None


def has_minus(column: Column) -> bool:
    """Whether labels are 1 for normal and -1 for not, as some detectors write them."""
    return column.is_number and column.distinct.tolist() == [-1.0, 1.0]


def labels_of(
    cells: NDArray[np.bytes_], *, minus: bool = False, seen: Counter[str] | None = None
) -> NDArray[np.bool_]:
    """Say for each row whether its label calls it anything but healthy; `minus` as in `has_minus`.

    `seen` counts the words, the first MOST_SEEN of them.
    """
    values, codes = np.unique(cells, return_inverse=True)
    words = [v.decode("utf-8", "replace").strip().casefold() for v in values.tolist()]
    if seen is not None:
        for word, count in zip(words, np.bincount(codes, minlength=len(words)).tolist(), strict=True):
            if word in seen or len(seen) < MOST_SEEN:
                seen[word] += count
    numbers = [number_of(w, Marks()) for w in words]
    if minus:
        faulty = [v is not None and v < 0 for v in numbers]
    else:
        zero = [v is not None and (v == 0 or v != v) for v in numbers]
        # "fault", "error" and "bad" also stand for missing numbers: as labels they say what they mean.
        faulty = [w in FAULTY or (w not in HEALTHY and not z) for w, z in zip(words, zero, strict=True)]
    return np.array(faulty, dtype=np.bool_)[codes]
