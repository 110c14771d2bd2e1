"""Plan: everything found out about a table before it is read, in the form that reading needs."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bimetal.nouns.errors import BadInput
from bimetal.nouns.signal import Signal
from bimetal.wire.table.channel import Channel, Choice, choose_channels, expect_channels, long_channels
from bimetal.wire.table.clock import SECOND_NS, Clock, period_of
from bimetal.wire.table.column import Column, look_at
from bimetal.wire.table.device import codes_of
from bimetal.wire.table.find import find_column
from bimetal.wire.table.hints import Hints
from bimetal.wire.table.label import has_minus
from bimetal.wire.table.long import LongForm
from bimetal.wire.table.order import share_behind
from bimetal.wire.table.role import Roles, find_roles
from bimetal.wire.table.shape import Dropped, TableShape, length
from bimetal.wire.table.sift import Ground
from bimetal.wire.table.source import Look, Want
from bimetal.wire.table.trial import sounds_like_time

MOST_BEHIND = 0.02
EVEN = 0.1


@dataclass(frozen=True, slots=True)
class Plan:
    """How a table is read: its clock, channels, device and label, and whether it must be sorted first.

    `device` and `label` are places of columns, -1 for none. `period_ns` is the usual time between rows of
    a device, `step_ns` that between different stamps, which is longer where rows share a stamp.
    """

    shape: TableShape
    clock: Clock
    channels: tuple[Channel, ...]
    device: int
    label: int
    label_minus: bool
    long: LongForm | None
    sorts: bool
    period_ns: int
    step_ns: int
    first_ns: int

    @property
    def wants(self) -> tuple[Want, ...]:
        """The columns to read, each once, in the form that is needed."""
        wants = {p: Want(p, "text") for p in (*self.clock.reads, self.device, self.label) if p >= 0}
        if self.long:
            wants[self.long.name_place] = Want(self.long.name_place, "text")
            wants[self.long.value_place] = Want(self.long.value_place, "number")
            return tuple(wants.values())
        for channel in self.channels:
            if channel.place >= 0:
                wants[channel.place] = Want(channel.place, "switch" if channel.switch else "number")
        return tuple(wants.values())


def make_plan(
    look: Look, hints: Hints, where: str, *, expect: Sequence[Signal] | None = None, live: bool = False
) -> Plan:
    """Find out how a table is to be read, from a look at it; `expect` are a trained model's signals.

    `live` says that there are but a few rows yet, so that a device column is known by its name.
    Raises BadInput when it has no rows, no numbers, too many columns, or not what was asked for.
    """
    if not look.sample or not len(look.sample[0]):
        raise BadInput(
            "there are no rows below the header", where=where, hint="Give a table with readings in it"
        )
    if expect is None and len(look.sample[0]) < 2:
        raise BadInput("there is only one row", where=where, hint="Give a table with many readings in it")
    # A stranger's numbers may be too large to reckon with: what overflows is infinite, and fits nothing.
    with np.errstate(over="ignore", invalid="ignore"):
        look = _headed(look, hints.columns)
        columns, ignored = _columns(look, hints, where)
        found = find_roles(columns, look, hints, where, _reserved(columns, expect or ()), live=live)
        found.clock = _paced(found.clock, expect)
        ground = Ground(found.ns, look.starts, found.timed, found.device)
        if found.long:
            choice = long_channels(found.long, found.free, expect, where)
        elif expect is not None:
            choice = expect_channels(found.free, expect, where, headed=look.header, taught=hints.columns)
        else:
            if hints.signals is None:
                _refuse_sideways(found, where)
            choice = choose_channels(columns, found.free, ground, hints.signals, where)
        choice.dropped += ignored
        return _finish(look, where, found, ground, choice)


def _headed(look: Look, columns: Sequence[str]) -> Look:
    """Give a table without a header the headings that a model was taught under, if it is as wide."""
    if look.header or len(columns) != len(look.headings):
        return look
    note = "no header: columns are taken to be those the model learned from"
    return replace(look, headings=tuple(columns), header=True, notes=(*look.notes, note))


def _columns(look: Look, hints: Hints, where: str) -> tuple[list[Column], list[Dropped]]:
    """Return the columns that hold anything, and those among them that a user wants left out."""
    columns = [
        look_at(place, heading, cells, look.marks)
        for place, (heading, cells) in enumerate(zip(look.headings, look.sample, strict=True))
    ]
    columns = [c for c in columns if c.heading or c.said]
    ignored = {c.place: c for n in hints.ignore for c in [find_column(columns, n, where)]}
    kept = [c for c in columns if c.place not in ignored]
    if not kept:
        raise BadInput("no column is left", where=where, hint="Leave some columns out of --ignore")
    return kept, [Dropped(c.name.text or c.heading, "ignored, as asked for") for c in ignored.values()]


def _reserved(columns: Sequence[Column], expect: Sequence[Signal]) -> set[int]:
    """Return the places of columns that are a trained model's signals by name, whatever they look like."""
    names = {s.name for s in expect}
    return {c.place for c in columns if c.heading in names or c.name.text in names}


def _paced(clock: Clock, expect: Sequence[Signal] | None) -> Clock:
    """Let rows without a time be as far apart as those a model was trained on."""
    period_s = expect[0].period_s if expect else 0.0
    if clock.kind != "row" or not period_s:
        return clock
    said = f"no time column: rows are taken to be {length(period_s)} apart, as the model's were"
    return replace(clock, unit_ns=round(period_s * SECOND_NS), said=said)


def _refuse_sideways(found: Roles, where: str) -> None:
    """Refuse a table that has a series in each row, with its steps as columns.

    It has no time, its first column names the rows, the other headings count up, and
    neighbours in a row are much closer than neighbours in a column.
    """
    first, rest = found.columns[0], found.columns[1:]
    if found.timed or len(rest) < 8 or first.is_number or len(first.values) < len(first.numbers):
        return
    if not all(c.is_number for c in rest[:8]) or not _count_up([c.heading for c in rest]):
        return
    grid = np.stack([c.numbers for c in rest[:64]], axis=1)[:500]
    across = float(np.nanmedian(np.abs(np.diff(grid, axis=1))))
    down = float(np.nanmedian(np.abs(np.diff(grid, axis=0)))) if len(grid) > 1 else 0.0
    if down > 3 * across:
        raise BadInput(
            "each row looks like a whole series, with its steps in the columns "
            f"{rest[0].heading} to {rest[-1].heading}",
            where=where,
            hint="Turn the table round: one row for each instant, one column for each signal",
        )


def _count_up(headings: Sequence[str]) -> bool:
    numbers = [re.fullmatch(r"\D*(\d+)", h) for h in headings]
    counted = [int(n[1]) for n in numbers if n]
    return len(counted) == len(headings) and all(b - a == 1 for a, b in itertools.pairwise(counted))


def _finish(look: Look, where: str, found: Roles, ground: Ground, choice: Choice) -> Plan:
    period_ns, step_ns, regular = _rhythm(found, ground)
    sorts = found.timed and not found.clock.daily and _runs_back(found)
    notes = [*look.notes, *choice.notes, *_notes(found, ground, sorts=sorts)]
    channels = tuple(
        replace(c, signal=replace(c.signal, period_s=c.signal.period_s or period_ns / SECOND_NS))
        for c in choice.channels
    )
    by_place = {c.place: c.heading for c in found.columns}
    dropped = list(choice.dropped)
    if found.label:
        dropped.append(Dropped(found.label.heading, "label"))
    shape = TableShape(
        where,
        look.format,
        look.encoding,
        look.separator,
        look.marks.decimal if look.separator else "",
        look.header,
        " + ".join(by_place[p] for p in found.clock.reads),
        found.clock.said,
        period_ns / SECOND_NS,
        regular,
        found.device.heading if found.device else None,
        found.label.heading if found.label else None,
        tuple(c.signal for c in channels),
        tuple(dropped),
        len(found.ns),
        look.rows_guess,
        look.whole,
        tuple(notes),
        look.headings,
    )
    device, label = (c.place if c else -1 for c in (found.device, found.label))
    minus = found.label is not None and has_minus(found.label)
    first_ns = int(found.ns[0])
    return Plan(
        shape, found.clock, channels, device, label, minus, found.long, sorts, period_ns, step_ns, first_ns
    )


def _rhythm(found: Roles, ground: Ground) -> tuple[int, int, float]:
    """Return the usual time between rows and between stamps in nanoseconds, and the share of even steps.

    Where most rows share a stamp, steps from stamp to stamp are judged, else those from row to row.
    """
    if not found.timed:
        return found.clock.unit_ns, found.clock.unit_ns, 1.0
    ns = np.unique(found.ns) if found.long else found.ns
    steps = np.diff(ns) if found.long else ground.steps(ns)
    steps = np.abs(steps) if len(steps) and float((steps < 0).mean()) > 0.5 else steps
    period_ns = period_of(steps)
    if not period_ns:
        return 0, 0, 0.0
    forward = steps[steps > 0]
    step_ns = int(np.median(forward))
    judged = steps if step_ns == period_ns else forward
    return period_ns, step_ns, float((np.abs(judged - step_ns) <= EVEN * step_ns).mean())


def _runs_back(found: Roles) -> bool:
    codes = codes_of(found.device) if found.device else None
    return share_behind(found.ns, codes) > MOST_BEHIND


def _notes(found: Roles, ground: Ground, *, sorts: bool) -> list[str]:
    notes: list[str] = []
    if not found.timed:
        notes += [
            f"the column {c.heading} cannot be read as time: {c.values[0][:40]!r}"
            for c in found.free
            if sounds_like_time(c.heading) and c.values and not c.is_number
        ]
    if sorts:
        newest = float((np.diff(found.ns) < 0).mean()) > 0.9
        notes.append(
            f"rows run {'from new to old' if newest else 'back and forth in time'}: "
            "they are put in order of time first"
        )
    if found.timed and not sorts and not found.device and not found.long:
        steps = ground.steps(found.ns)
        if len(steps) and float((steps == 0).mean()) > 0.3 and found.clock.kind != "row":
            notes.append(
                "many rows have the time of the row before: its steps are finer than the time is written"
            )
    return notes
