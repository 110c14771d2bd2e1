"""Expect: the columns of a new table that a trained model's signals are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bimetal.nouns.errors import BadInput
from bimetal.nouns.signal import Signal
from bimetal.wire.table.column import Column
from bimetal.wire.table.find import seek_column
from bimetal.wire.table.shape import listed
from bimetal.wire.table.unit import find_unit

SHOWN = 6


@dataclass(frozen=True, slots=True)
class Match:
    """A signal and the column that holds it; `factor` and `offset` turn its unit into the signal's."""

    signal: Signal
    column: Column | None
    factor: float = 1.0
    offset: float = 0.0


def match_signals(
    columns: Sequence[Column],
    signals: Sequence[Signal],
    where: str,
    *,
    headed: bool,
    taught: Sequence[str] = (),
) -> tuple[list[Match], list[str]]:
    """Find each signal's column, by name; return (matches, notes).

    Case, blanks and units may differ; values in another unit of the same quantity are
    converted. Without a header columns are taken in their order. A signal that is not there
    is missing throughout, as long as at least half of them are. Columns of numbers that are no signal are
    named in a note, unless they were there in training: `taught` are the headings of then.
    Raises BadInput when more than half are not there, or numbers of columns differ.
    """
    if not headed and not any(seek_column(columns, s.name) for s in signals):
        return _by_order(columns, signals, where)
    notes: list[str] = []
    matches: list[Match] = []
    for signal in signals:
        column = seek_column(columns, signal.name) or seek_column(columns, signal.label)
        matches.append(_converted(signal, column, notes))
    absent = [m.signal.name for m in matches if m.column is None]
    if len(absent) * 2 > len(signals) or len(absent) == len(signals):
        raise BadInput(
            f"{len(absent)} of {len(signals)} signals are not there: {listed(absent, SHOWN)}",
            where=where,
            hint=f"Its columns are: {listed([c.heading for c in columns], SHOWN)}",
        )
    if absent:
        notes.append(f"missing throughout, because no column has that name: {listed(absent, SHOWN)}")
    known = {m.column.place for m in matches if m.column}
    strange = [c.heading for c in columns if c.is_number and c.place not in known and c.heading not in taught]
    if strange:
        notes.append(f"left out, because the model does not know them: {listed(strange, SHOWN)}")
    return matches, notes


def _by_order(
    columns: Sequence[Column], signals: Sequence[Signal], where: str
) -> tuple[list[Match], list[str]]:
    if len(columns) != len(signals):
        raise BadInput(
            f"there is no header, and {len(columns)} columns cannot be told to be "
            f"the model's {len(signals)} signals",
            where=where,
            hint=f"Give it a header with: {listed([s.name for s in signals], SHOWN)}",
        )
    note = f"no header: columns are taken in the order {listed([s.name for s in signals], SHOWN)}"
    return [Match(s, c) for s, c in zip(signals, columns, strict=True)], [note]


def _converted(signal: Signal, column: Column | None, notes: list[str]) -> Match:
    if column is None or not column.name.unit or column.name.unit == signal.unit:
        return Match(signal, column)
    here, there = find_unit(column.name.unit), find_unit(signal.unit)
    if here is None or there is None:
        return Match(signal, column)
    if here.quantity != there.quantity:
        notes.append(
            f"{signal.name} is in {here.code} here and in {there.code} in the model; it is taken as it is"
        )
        return Match(signal, column)
    notes.append(f"{signal.name} is converted from {here.code} to the model's {there.code}")
    return Match(signal, column, *here.convert(there))
