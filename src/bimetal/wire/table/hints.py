"""Hints: what a user says about a file, so that it need not be found out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hints:
    """Columns by name, as the file heads them; None means: find out.

    `time` may name several columns with commas between them (`Date,Time`). `signals` are
    the only columns to learn from, `ignore` are taken for nothing at all. `devices` are ids
    that a trained model has met: a column that holds them tells devices apart. `columns` are
    the headings it was taught under, for a table as wide that comes without its header.
    """

    time: str | None = None
    signals: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    label: str | None = None
    device: str | None = None
    devices: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
