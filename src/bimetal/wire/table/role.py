"""Role: which columns of a stranger's table tell time, device and label; the rest may be signals."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.errors import BadInput
from bimetal.wire.table.clock import Clock
from bimetal.wire.table.column import Column
from bimetal.wire.table.device import device_id, find_device, sounds_like_device
from bimetal.wire.table.dial import find_clock, force_clock
from bimetal.wire.table.find import find_column, split_names
from bimetal.wire.table.hints import Hints
from bimetal.wire.table.label import answers, find_label
from bimetal.wire.table.long import LongForm, find_long
from bimetal.wire.table.order import fill_broken, find_leaps, mend_midnights
from bimetal.wire.table.source import Look


@dataclass(slots=True)
class Roles:
    """What the columns of a table are for; `ns` are the instants of the rows that were looked at."""

    columns: list[Column]
    clock: Clock
    ns: NDArray[np.int64]
    device: Column | None = None
    label: Column | None = None
    long: LongForm | None = None

    @property
    def timed(self) -> bool:
        """Whether a column tells the time."""
        return self.clock.kind != "row"

    @property
    def free(self) -> list[Column]:
        """The columns that may be signals."""
        used = {c.place for c in (self.device, self.label) if c} | set(self.clock.reads)
        return [c for c in self.columns if c.place not in used]


def find_roles(
    columns: list[Column], look: Look, hints: Hints, where: str, reserved: set[int], *, live: bool
) -> Roles:
    """Find the columns that are no signals: time, device, label, and the long form.

    `reserved` are the places of columns known to be signals. Raises BadInput when a hint names no column.
    """
    told = {c.place for n in (hints.device, hints.label) if n for c in [find_column(columns, n, where)]}
    candidates = [c for c in columns if hints.time or c.place not in reserved | told]
    clock = _find_clock(candidates, look, hints, where)
    by_place = {c.place: c for c in columns}
    ns, ok = clock.read([by_place[p].cells for p in clock.reads], 0, len(columns[0].cells))
    if clock.kind != "row":
        ok = find_leaps(ns, ok, 0)
        ns = mend_midnights(fill_broken(ns, ok, int(ns[ok][0]) if ok.any() else 0), int(ns[0]))
    roles = Roles(columns, clock, ns)
    free = [c for c in roles.free if c.place not in reserved]
    roles.label = find_column(columns, hints.label, where) if hints.label else find_label(free)
    free = [c for c in free if c is not roles.label and not answers(c)]
    if hints.device:
        roles.device = find_column(columns, hints.device, where)
    else:
        roles.device = _find_device(free, roles, look, hints.devices, live=live)
    if hints.signals is None and not reserved:
        _find_long(roles, forced_device=bool(hints.device))
    return roles


def _find_device(
    free: Sequence[Column], roles: Roles, look: Look, known: Collection[str], *, live: bool
) -> Column | None:
    column = next((c for c in free if _names_known(c, known)), None)
    if column is not None:
        return column
    if live:
        return next((c for c in free if sounds_like_device(c.heading) and not _fractional(c)), None)
    return find_device(free, roles.ns, look.starts, timed=roles.timed, headed=look.header)


def _names_known(column: Column, known: Collection[str]) -> bool:
    """Whether a column of words names devices that a model has met, for the most part."""
    if not known or column.is_number or column.cells.ns is not None:
        return False
    found = {device_id(value) for value in column.values}
    return bool(found) and 2 * len(found & set(known)) >= len(found)


def _fractional(column: Column) -> bool:
    return column.is_number and not column.is_whole


def _find_long(roles: Roles, *, forced_device: bool) -> None:
    """Find the long form; what looks like a device may be the name of the signal in it."""
    spoken = {c.place for c in roles.columns} - {c.place for c in roles.free}
    roles.long = find_long(roles.columns, sorted(spoken), roles.ns, timed=roles.timed)
    if roles.long is None and roles.device is not None and not forced_device:
        spoken.discard(roles.device.place)
        roles.long = find_long(roles.columns, sorted(spoken), roles.ns, timed=roles.timed)
        roles.device = None if roles.long else roles.device


def _find_clock(columns: list[Column], look: Look, hints: Hints, where: str) -> Clock:
    if not hints.time:
        return find_clock(columns, look.starts, headed=look.header)
    named = [find_column(columns, n, where) for n in split_names(hints.time, columns)]
    clock = force_clock(named, look.starts)
    if clock is None:
        cell = next((c for c in named[0].text().tolist() if c.strip()), b"").decode("utf-8", "replace")
        raise BadInput(
            f"the column {named[0].heading!r} cannot be read as time: {cell[:40]!r}",
            where=where,
            hint="Write it like 2020-02-08 13:30:47, or as seconds since 1970",
        )
    return clock
