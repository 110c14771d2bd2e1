"""Harvest: what codecs have in common: rows of signals as they are read, and the shapes objects come in."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import numpy as np

from bimetal.nouns.batch import Batch
from bimetal.wire.codec import LARGEST_PAYLOAD, LONGEST_NAME, MOST_ROWS, MOST_SIGNALS, Decoded, Quarantined
from bimetal.wire.table.cell import Marks, number_of
from bimetal.wire.table.stamp import read_stamps

TIME = "ts"
MS_NS = 1_000_000
LAST_NS = (1 << 63) - 1
LAST_MS = (1 << 63) // MS_NS - 1
SHOWN = 60


class Refused(Exception):
    """This payload cannot be used; the text says why."""


@dataclass(slots=True)
class Group:
    """Rows with the same signals: their places among all rows, and their values."""

    at: list[int] = field(default_factory=list[int])
    values: list[list[float]] = field(default_factory=list[list[float]])


@dataclass(slots=True)
class Harvest:
    """Rows as they are read: their time and signals, and the payload they came from."""

    columns: dict[str, int] = field(default_factory=dict[str, int])
    time_ns: list[int] = field(default_factory=list[int])
    message: list[int] = field(default_factory=list[int])
    groups: dict[tuple[str, ...], Group] = field(default_factory=dict[tuple[str, ...], Group])
    quarantined: list[Quarantined] = field(default_factory=list[Quarantined])
    left_out: dict[str, str] = field(default_factory=dict[str, str])

    def add(self, index: int, time_ns: int, names: tuple[str, ...], values: list[float]) -> None:
        """Keep one row, whose signals are known."""
        group = self.groups.get(names)
        if group is None:
            group = self.groups[names] = Group()
        group.at.append(len(self.time_ns))
        group.values.append(values)
        self.time_ns.append(time_ns)
        self.message.append(index)

    def add_many(
        self, index: int, times_ns: Sequence[int], names: tuple[str, ...], values: Iterable[Iterable[float]]
    ) -> None:
        """Keep rows that all have the same signals, which are known."""
        group = self.groups.setdefault(names, Group())
        group.at.extend(range(len(self.time_ns), len(self.time_ns) + len(times_ns)))
        group.values.extend(map(list, values))
        self.time_ns.extend(times_ns)
        self.message.extend([index] * len(times_ns))

    def decoded(self, device: str) -> Decoded:
        """Return all rows as columns."""
        values = np.full((len(self.time_ns), len(self.columns)), np.nan)
        for names, group in self.groups.items():
            if names:
                places = [self.columns[n] for n in names]
                values[np.ix_(group.at, places)] = group.values
        values[np.isinf(values)] = np.nan
        return Decoded(
            device,
            tuple(self.columns),
            np.array(self.time_ns, dtype=np.int64),
            values,
            np.array(self.message, dtype=np.int32),
            tuple(self.quarantined),
            tuple(self.left_out.items()),
        )


def harvested(
    device: str,
    payloads: Sequence[bytes],
    received_ns: Sequence[int],
    read: Callable[[bytes, int, int, Harvest], None],
) -> Decoded:
    """Return what `read` makes of payloads: (payload, when it was received, its place, where rows go).

    One for which it raises Refused is quarantined; it must not have added anything by then.
    """
    harvest = Harvest()
    for index, (payload, received) in enumerate(zip(payloads, received_ns, strict=True)):
        try:
            if len(payload) > LARGEST_PAYLOAD:
                raise Refused(f"it is larger than {LARGEST_PAYLOAD >> 20} MB")
            if not payload:
                raise Refused("it is empty")
            read(payload, received, index, harvest)
        except Refused as refused:
            harvest.quarantined.append(Quarantined(index, str(refused)))
    return harvest.decoded(device)


def read_objects(said: object, received_ns: int, index: int, harvest: Harvest) -> None:
    """Read objects of signals, in any of the shapes they come in, all of them or none. Raises Refused."""
    rows: list[tuple[int, tuple[str, ...], list[float]]] = []
    left_out: dict[str, str] = {}
    for each in objects(said):
        time_ns = instant(each[TIME]) if each.get(TIME) is not None else received_ns
        numbers = _numbers(each, left_out)
        rows.append((time_ns, tuple(numbers), list(numbers.values())))
    if not any(names for _, names, _ in rows):
        raise Refused("no signal in it has a number")
    know(tuple(dict.fromkeys(n for _, names, _ in rows for n in names)), harvest.columns)
    for time_ns, names, values in rows:
        harvest.add(index, time_ns, names, values)
    for name, reason in left_out.items():
        harvest.left_out.setdefault(name, reason)


def objects(said: object) -> list[dict[str, Any]]:
    """Return the objects that a payload is: one, an array's, or one for each place of its columns."""
    if isinstance(said, dict):
        one = cast("dict[str, Any]", said)
        return _unfolded(one) if any(isinstance(v, list) for v in one.values()) else [one]
    if not isinstance(said, list):
        raise Refused("it is no object of signals")
    many = cast("list[object]", said)
    if len(many) > MOST_ROWS:
        raise Refused(f"it has more than {MOST_ROWS:,} rows")
    for at, each in enumerate(many):
        if not isinstance(each, dict):
            raise Refused(f"element {at} of it is no object of signals")
    return cast("list[dict[str, Any]]", many)


def _unfolded(columns: dict[str, Any]) -> list[dict[str, Any]]:
    """Turn columns into objects; every column must be as long as the times."""
    times = columns.get(TIME)
    if not isinstance(times, list):
        raise Refused("columns need an array of times, ts")
    count = len(cast("list[object]", times))
    if count > MOST_ROWS:
        raise Refused(f"it has more than {MOST_ROWS:,} rows")
    for name, column in columns.items():
        if not isinstance(column, list) or len(cast("list[object]", column)) != count:
            raise Refused(f"its column {name[:SHOWN]!r} is not as long as its times")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _numbers(said: dict[str, Any], left_out: dict[str, str]) -> dict[str, float]:
    """Return the numbers of an object; what is none is named in `left_out`."""
    numbers: dict[str, float] = {}
    for name, value in said.items():
        if name == TIME:
            continue
        number = number_in(value)
        if isinstance(number, str):
            left_out.setdefault(name, number)
        else:
            numbers[name] = number
    return numbers


def number_in(value: object) -> float | str:
    """Return a value as a number, NaN for none, or why it is none."""
    if value is None:
        return math.nan
    if isinstance(value, int | float):
        try:
            return float(value)
        except OverflowError:
            return math.nan
    if isinstance(value, str):
        number = number_of(value, Marks()) if len(value) <= SHOWN else None
        return "text" if number is None else number
    return "nested"


def instant(said: object) -> int:
    """Return a time in nanoseconds. Raises Refused when it is none between 1970 and 2262."""
    if isinstance(said, int | float):
        if 0 <= said <= LAST_MS and not isinstance(said, bool):
            whole = int(said)
            return whole * MS_NS if whole == said else round(said * MS_NS)
    elif isinstance(said, datetime):
        try:
            return instant(said.timestamp() * 1000)
        except (OverflowError, ValueError):
            pass
    elif isinstance(said, str) and len(said) <= SHOWN:
        stamps = read_stamps(np.array([said.encode("utf-8", "replace")]), "dmy")
        if stamps.ok[0] and stamps.dated and stamps.ns[0] >= 0:
            return int(stamps.ns[0])
    raise Refused("its ts is no time: milliseconds since 1970 are expected")


def instants(said: Sequence[Any], received_ns: int) -> list[int]:
    """Return times in nanoseconds, None standing for when they were received. Raises Refused as `instant`."""
    if all(type(one) in (int, float) for one in said):
        counts = np.array(said, np.float64)
        if ((counts >= 0) & (counts <= LAST_MS) & (counts == np.floor(counts))).all():
            return (counts.astype(np.int64) * MS_NS).tolist()
    return [received_ns if one is None else instant(one) for one in said]


def objects_of(batch: Batch) -> Iterator[dict[str, float]]:
    """Yield a batch row by row as such objects: time to the microsecond, and the values that are there."""
    names = [s.name for s in batch.signals]
    for ns, row in zip(batch.time_ns.tolist(), batch.values.tolist(), strict=True):
        whole, part = divmod(ns, MS_NS)
        said: dict[str, float] = {TIME: whole + part / MS_NS if part else whole}
        yield said | {n: v for n, v in zip(names, row, strict=True) if math.isfinite(v)}


def know(names: tuple[str, ...], columns: dict[str, int]) -> None:
    """Give new signals a column. Raises Refused for names that cannot be, or too many of them."""
    new = [n for n in names if n not in columns]
    for name in new:
        if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance] - CBOR has other keys
            raise Refused("a signal's name is a text")
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            raise Refused(f"a signal cannot be called {ascii(name)[:SHOWN]}")
    if len(columns) + len(new) > MOST_SIGNALS:
        raise Refused(f"it would make more than {MOST_SIGNALS} signals")
    for name in new:
        columns[name] = len(columns)
