"""Long: tables with one reading in each row, `time, signal, value`, and how they become wide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bimetal.wire.table.bag import bag
from bimetal.wire.table.column import Column
from bimetal.wire.table.name import words_of
from bimetal.wire.table.unit import find_unit

VALUES = bag("value values val reading readings measurement measured result v wert data sample")
NAMES = bag(
    "signal sensor tag metric parameter param variable measurement field channel attribute quantity point "
    "series name key item property kind type id topic measure datapoint code label of"
)
THINGS = bag("sensor point item key topic id tag channel")
UNITS = frozenset(("unit", "units", "uom", "einheit"))
MOST_SIGNALS = 512
TOGETHER = 0.3


@dataclass(frozen=True, slots=True)
class LongForm:
    """Which columns hold the signal's name and its value; `names` in the order they first came."""

    name_place: int
    value_place: int
    names: tuple[str, ...]
    units: tuple[str, ...]


def find_long(
    columns: Sequence[Column], others: Sequence[int], ns: NDArray[np.int64], *, timed: bool
) -> LongForm | None:
    """Return the long form of a table, or None when it has a column for each signal.

    `others` are the columns that are already spoken for: time, device, label.
    """
    free = [c for c in columns if c.place not in others and c.said]
    numbers = [c for c in free if c.is_number and len(c.distinct) > 1]
    values = [c for c in numbers if _all_in(c, VALUES)]
    if len(values) != 1 or not timed:
        return None
    rest = [c for c in numbers if c is not values[0] and not _aside(c)]
    names = [c for c in free if not c.is_number and _all_in(c, NAMES) and _repeats(c)]
    if rest or not names:
        return None
    best = min(names, key=lambda c: (len(c.values) < 2, c.place))
    if len(best.values) < 2 or (_thing(best) and not _together(best, ns)):
        return None
    firsts = sorted(best.values, key=_first_rows(best).__getitem__)
    return LongForm(best.place, values[0].place, tuple(firsts), _units(columns, best, firsts))


def _all_in(column: Column, words: frozenset[str]) -> bool:
    said = [w for w in words_of(column.heading) if not w.isdigit()]
    return bool(said) and all(w in words for w in said)


def _aside(column: Column) -> bool:
    """Whether a number column may stand beside the value: a quality code, an id, a count."""
    words = set(words_of(column.heading))
    return column.is_whole and (len(column.distinct) <= 10 or bool(words & {"id", "quality", "index", "no"}))


def _repeats(column: Column) -> bool:
    return 1 <= len(column.values) <= min(MOST_SIGNALS, max(column.said // 4, 2))


def _thing(column: Column) -> bool:
    words = [w for w in words_of(column.heading) if not w.isdigit()]
    return all(w in THINGS for w in words)


def _together(column: Column, ns: NDArray[np.int64]) -> bool:
    """Whether several values come at the same instant, as signals of one device do."""
    _, counts = np.unique(ns, return_counts=True)
    return float(counts[counts > 1].sum()) / max(len(ns), 1) > TOGETHER


def _first_rows(column: Column) -> dict[str, int]:
    first: dict[str, int] = {}
    for row, word in enumerate(column.words):
        first.setdefault(word.strip(), row)
    return first


def _units(columns: Sequence[Column], name: Column, names: Sequence[str]) -> tuple[str, ...]:
    """Take each signal's unit from a column of units, where there is one."""
    column = next(
        (c for c in columns if not c.is_number and set(words_of(c.heading)) <= UNITS and c.values), None
    )
    if column is None:
        return ("",) * len(names)
    first = _first_rows(name)
    found = [find_unit(column.words[first[n]]) for n in names]
    return tuple(unit.code if unit else "" for unit in found)
