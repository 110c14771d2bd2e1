"""JSON: a message is an object of signals and numbers, or an array of them, or columns."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import msgspec
import numpy as np

from bimetal.nouns.batch import Batch
from bimetal.wire.codec import LARGEST_PAYLOAD, LONGEST_NAME, MOST_ROWS, MOST_SIGNALS, Decoded, Quarantined
from bimetal.wire.table.cell import Marks, number_of
from bimetal.wire.table.stamp import read_stamps

TIME = "ts"
MS_NS = 1_000_000
LAST_MS = (1 << 63) // MS_NS - 1
DEEPEST = 64
SHOWN = 60


class _Refused(Exception):
    """This payload cannot be used; the text says why."""


@dataclass(slots=True)
class _Group:
    """Rows with the same signals: their places among all rows, and their values."""

    at: list[int] = field(default_factory=list[int])
    values: list[list[float]] = field(default_factory=list[list[float]])


@dataclass(slots=True)
class _Harvest:
    """Rows as they are read: their time and signals, and the payload they came from."""

    columns: dict[str, int] = field(default_factory=dict[str, int])
    time_ns: list[int] = field(default_factory=list[int])
    message: list[int] = field(default_factory=list[int])
    groups: dict[tuple[str, ...], _Group] = field(default_factory=dict[tuple[str, ...], _Group])
    quarantined: list[Quarantined] = field(default_factory=list[Quarantined])
    left_out: dict[str, str] = field(default_factory=dict[str, str])

    def add(self, index: int, time_ns: int, names: tuple[str, ...], values: list[float]) -> None:
        """Keep one row, whose signals are known."""
        group = self.groups.get(names)
        if group is None:
            group = self.groups[names] = _Group()
        group.at.append(len(self.time_ns))
        group.values.append(values)
        self.time_ns.append(time_ns)
        self.message.append(index)

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


class JsonCodec:
    """The default message format.

    `{"ts": 1700000000000, "temp": 21.5}`, an array of such objects, or columns
    `{"ts": [...], "temp": [...]}`. `ts` is milliseconds since 1970 UTC or ISO 8601, and may be
    left out of single readings. `null` is a missing value, `true` is 1; numbers in quotes are
    read; text and nested values are left out.
    """

    name = "json"

    def __init__(self) -> None:
        self._plain = msgspec.json.Decoder(dict[str, float])
        self._plain_many = msgspec.json.Decoder(list[dict[str, float]])
        self._any = msgspec.json.Decoder()

    def decode(self, device: str, payloads: Sequence[bytes], received_ns: Sequence[int]) -> Decoded:
        """Return the readings in payloads; one that cannot be used is quarantined, its neighbours are not."""
        harvest = _Harvest()
        for index, (payload, received) in enumerate(zip(payloads, received_ns, strict=True)):
            try:
                if not self._read_plain(payload, received, index, harvest):
                    self._read_any(payload, received, index, harvest)
            except _Refused as refused:
                harvest.quarantined.append(Quarantined(index, str(refused)))
        return harvest.decoded(device)

    def encode(self, batch: Batch) -> list[bytes]:
        """Return one object for each row, with its time to the microsecond and the values that are there."""
        names = [s.name for s in batch.signals]
        payloads: list[bytes] = []
        for ns, row in zip(batch.time_ns.tolist(), batch.values.tolist(), strict=True):
            whole, part = divmod(ns, MS_NS)
            said: dict[str, float] = {TIME: whole + part / MS_NS if part else whole}
            said |= {n: v for n, v in zip(names, row, strict=True) if math.isfinite(v)}
            payloads.append(msgspec.json.encode(said))
        return payloads

    def _read_plain(self, payload: bytes, received_ns: int, index: int, harvest: _Harvest) -> bool:
        """Read flat objects of numbers; False when it is anything else, or may have a key twice.

        Keys and values of such objects usually hold no colon, so that there are as many as keys.
        """
        if len(payload) > LARGEST_PAYLOAD:
            return False
        try:
            if payload[:1] == b"[":
                return self._read_many(self._plain_many.decode(payload), payload, received_ns, index, harvest)
            said = self._plain.decode(payload)
        except (msgspec.DecodeError, RecursionError, ValueError):
            return False
        if payload.count(b":") != len(said):
            return False
        time_ms = said.pop(TIME, None)
        if not said:
            return False
        names = tuple(said)
        if names not in harvest.groups:
            _know(names, harvest.columns)
        harvest.add(index, received_ns if time_ms is None else _instant(time_ms), names, list(said.values()))
        return True

    def _read_many(
        self, many: list[dict[str, float]], payload: bytes, received_ns: int, index: int, harvest: _Harvest
    ) -> bool:
        """Keep an array of flat objects, all of them or none."""
        if len(many) > MOST_ROWS or payload.count(b":") != sum(map(len, many)):
            return False
        times = [each.pop(TIME, None) for each in many]
        if not many or not all(many):
            return False
        stamps = [received_ns if t is None else _instant(t) for t in times]
        _know(tuple(dict.fromkeys(n for each in many for n in each)), harvest.columns)
        for time_ns, each in zip(stamps, many, strict=True):
            harvest.add(index, time_ns, tuple(each), list(each.values()))
        return True

    def _read_any(self, payload: bytes, received_ns: int, index: int, harvest: _Harvest) -> None:
        """Read a payload of any shape into rows, all of it or none. Raises _Refused."""
        said = self._parsed(payload)
        rows: list[tuple[int, tuple[str, ...], list[float]]] = []
        left_out: dict[str, str] = {}
        for each in _objects(said):
            time_ns = _instant(each[TIME]) if each.get(TIME) is not None else received_ns
            numbers = _numbers(each, left_out)
            rows.append((time_ns, tuple(numbers), list(numbers.values())))
        if not any(names for _, names, _ in rows):
            raise _Refused("no signal in it has a number")
        _know(tuple(dict.fromkeys(n for _, names, _ in rows for n in names)), harvest.columns)
        for time_ns, names, values in rows:
            harvest.add(index, time_ns, names, values)
        for name, reason in left_out.items():
            harvest.left_out.setdefault(name, reason)

    def _parsed(self, payload: bytes) -> object:
        if len(payload) > LARGEST_PAYLOAD:
            raise _Refused(f"it is larger than {LARGEST_PAYLOAD >> 20} MB")
        if not payload.strip():
            raise _Refused("it is empty")
        _check_depth(payload)
        try:
            self._any.decode(payload)
            return cast("object", json.loads(payload, object_pairs_hook=_once, parse_constant=_no_constant))
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise _Refused(f"it is not JSON: {str(error)[:SHOWN]}") from None


def _objects(said: object) -> list[dict[str, Any]]:
    """Return the objects that a payload is: one, an array's, or one for each place of its columns."""
    if isinstance(said, dict):
        one = cast("dict[str, Any]", said)
        return _unfolded(one) if any(isinstance(v, list) for v in one.values()) else [one]
    if not isinstance(said, list):
        raise _Refused("it is no object of signals")
    many = cast("list[object]", said)
    if len(many) > MOST_ROWS:
        raise _Refused(f"it has more than {MOST_ROWS:,} rows")
    for at, each in enumerate(many):
        if not isinstance(each, dict):
            raise _Refused(f"element {at} of it is no object of signals")
    return cast("list[dict[str, Any]]", many)


def _unfolded(columns: dict[str, Any]) -> list[dict[str, Any]]:
    """Turn columns into objects; every column must be as long as the times."""
    times = columns.get(TIME)
    if not isinstance(times, list):
        raise _Refused("columns need an array of times, ts")
    count = len(cast("list[object]", times))
    if count > MOST_ROWS:
        raise _Refused(f"it has more than {MOST_ROWS:,} rows")
    for name, column in columns.items():
        if not isinstance(column, list) or len(cast("list[object]", column)) != count:
            raise _Refused(f"its column {name[:SHOWN]!r} is not as long as its times")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _numbers(said: dict[str, Any], left_out: dict[str, str]) -> dict[str, float]:
    """Return the numbers of an object; what is none is named in `left_out`."""
    numbers: dict[str, float] = {}
    for name, value in said.items():
        if name == TIME:
            continue
        number = _number(value)
        if isinstance(number, str):
            left_out.setdefault(name, number)
        else:
            numbers[name] = number
    return numbers


def _number(value: object) -> float | str:
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


def _instant(said: object) -> int:
    """Return a time in nanoseconds. Raises _Refused when it is none between 1970 and 2262."""
    if isinstance(said, int | float):
        if 0 <= said <= LAST_MS and not isinstance(said, bool):
            whole = int(said)
            return whole * MS_NS if whole == said else round(said * MS_NS)
    elif isinstance(said, str) and len(said) <= SHOWN:
        stamps = read_stamps(np.array([said.encode("utf-8", "replace")]), "dmy")
        if stamps.ok[0] and stamps.dated and stamps.ns[0] >= 0:
            return int(stamps.ns[0])
    raise _Refused("its ts is no time: milliseconds since 1970 are expected")


def _know(names: tuple[str, ...], columns: dict[str, int]) -> None:
    """Give new signals a column. Raises _Refused for names that cannot be, or too many of them."""
    new = [n for n in names if n not in columns]
    for name in new:
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            raise _Refused(f"a signal cannot be called {ascii(name)[:SHOWN]}")
    if len(columns) + len(new) > MOST_SIGNALS:
        raise _Refused(f"it would make more than {MOST_SIGNALS} signals")
    for name in new:
        columns[name] = len(columns)


def _check_depth(payload: bytes) -> None:
    """Raise _Refused for brackets nested deeper than any reading needs, before anything recurses."""
    deep = 0
    for opened in payload.translate(None, _NO_BRACKETS):
        deep += 1 if opened in b"[{" else -1
        if deep > DEEPEST:
            raise _Refused(f"it is nested more than {DEEPEST} deep")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    said = dict(pairs)
    if len(said) < len(pairs):
        raise ValueError("a key comes twice")
    return said


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")


_NO_BRACKETS = bytes(c for c in range(256) if c not in b"[]{}")
