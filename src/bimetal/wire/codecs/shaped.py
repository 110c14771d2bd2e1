"""Shaped: JSON of any shape, read as a few lines of TOML say.

rows = "data.samples"         where the rows are: an array, or one object; left out: all of it
time = "at"                   in a row; "/sent.at" with a slash: in the whole message
time_unit = "s"               s, ms, us or ns since 1970 UTC, or iso; left out: ms or ISO 8601

[signals]
temperature = "values.t"      a path: keys and places in arrays, with points between
pressure = "values.ps.0"
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec

from bimetal.nouns.batch import Batch
from bimetal.nouns.errors import BadInput
from bimetal.wire.codec import MOST_ROWS, MOST_SIGNALS, Decoded
from bimetal.wire.harvest import MS_NS, SHOWN, Harvest, Refused, harvested, instant, know, number_in

UNITS_NS = {"s": 10**9, "ms": MS_NS, "us": 1_000, "ns": 1}
_KNOWN = {"rows", "time", "time_unit", "signals"}
_NOTHING = object()
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """Where things are in a message: paths from its root or, but for `rows`, from a row."""

    rows: Path
    time: Path | None
    time_of_all: bool
    unit_ns: int | None
    signals: Mapping[str, Path]


class ShapedCodec:
    """JSON of one shape; what is not where the shape says is missing, and text is left out."""

    name = "shaped"

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._decoder = msgspec.json.Decoder()

    def decode(self, device: str, payloads: Sequence[bytes], received_ns: Sequence[int]) -> Decoded:
        """Return the readings in payloads; one that cannot be used is quarantined, its neighbours are not."""
        return harvested(device, payloads, received_ns, self._read)

    def encode(self, batch: Batch) -> list[bytes]:
        """Return one message for each row of the shape, with its time and the values that are there."""
        payloads: list[bytes] = []
        for ns, row in zip(batch.time_ns.tolist(), batch.values.tolist(), strict=True):
            whole: dict[str, Any] = {}
            each: dict[str, Any] = {} if self._shape.rows else whole
            for signal, value in zip(batch.signals, row, strict=True):
                if signal.name in self._shape.signals and math.isfinite(value):
                    _put(each, self._shape.signals[signal.name], value)
            if self._shape.time:
                _put(whole if self._shape.time_of_all else each, self._shape.time, self._said(ns))
            if self._shape.rows:
                _put(whole, self._shape.rows, [each])
            payloads.append(msgspec.json.encode(whole))
        return payloads

    def _said(self, ns: int) -> float:
        unit = self._shape.unit_ns or MS_NS
        return ns // unit if ns % unit == 0 else ns / unit

    def _read(self, payload: bytes, received_ns: int, index: int, harvest: Harvest) -> None:
        try:
            whole = cast("object", self._decoder.decode(payload))
        except (msgspec.DecodeError, RecursionError, ValueError) as error:
            raise Refused(f"it is not JSON: {str(error)[:SHOWN]}") from None
        found = _at(whole, self._shape.rows)
        rows = cast("list[object]", found) if isinstance(found, list) else [found]
        if found is _NOTHING or not rows:
            raise Refused(f"there is nothing at {'.'.join(self._shape.rows)!a}")
        if len(rows) > MOST_ROWS:
            raise Refused(f"it has more than {MOST_ROWS:,} rows")
        kept: list[tuple[int, dict[str, float]]] = []
        for row in rows:
            numbers = self._numbers(row)
            if numbers:
                kept.append((self._time(whole, row, received_ns), numbers))
        if not kept:
            raise Refused("no signal of its shape is in it")
        know(tuple(self._shape.signals), harvest.columns)
        for time_ns, numbers in kept:
            harvest.add(index, time_ns, tuple(numbers), list(numbers.values()))

    def _numbers(self, row: object) -> dict[str, float]:
        numbers: dict[str, float] = {}
        for name, path in self._shape.signals.items():
            value = _at(row, path)
            number = "nothing" if value is _NOTHING else number_in(value)
            if not isinstance(number, str):
                numbers[name] = number
        return numbers

    def _time(self, whole: object, row: object, received_ns: int) -> int:
        shape = self._shape
        if shape.time is None:
            return received_ns
        said = _at(whole if shape.time_of_all else row, shape.time)
        if said is _NOTHING or said is None:
            return received_ns
        if shape.unit_ns is None or not isinstance(said, int | float) or isinstance(said, bool):
            return instant(said)
        if isinstance(said, int):  # exactly, however large
            instant(said * shape.unit_ns // MS_NS)
            return said * shape.unit_ns
        return instant(said * (shape.unit_ns / MS_NS))


def shape_of(text: str, where: str = "") -> Shape:
    """Return the shape that TOML describes; raises BadInput saying what is wrong with it."""
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"this is not TOML: {error}", where=where) from None
    signals = said.get("signals")
    unknown = sorted(set(said) - _KNOWN)
    if unknown:
        raise BadInput(
            f"{unknown[0]!a} says nothing about a shape", where=where, hint=f"Use {sorted(_KNOWN)}"
        )
    if not isinstance(signals, dict) or not 0 < len(cast("dict[str, Any]", signals)) <= MOST_SIGNALS:
        raise BadInput("a shape needs its signals", where=where, hint='As in [signals] and flow = "values.f"')
    unit = said.get("time_unit", "ms")
    if unit not in UNITS_NS and unit != "iso":
        raise BadInput(f"{unit!a} is no unit of time", where=where, hint="Use s, ms, us, ns or iso")
    paths = {n: _path(p, n, where) for n, p in cast("dict[str, Any]", signals).items()}
    time = said.get("time")
    of_all = isinstance(time, str) and time.startswith("/")
    return Shape(
        _path(said["rows"], "rows", where) if "rows" in said else (),
        None if time is None else _path(time[1:] if of_all else time, "time", where),
        of_all,
        UNITS_NS.get(unit),
        paths,
    )


def _path(said: object, name: str, where: str) -> Path:
    if not isinstance(said, str) or not all(said.split(".")):
        raise BadInput(f"{name} has no path", where=where, hint='Write keys with points between, as "data.t"')
    return tuple(said.split("."))


def _at(value: object, path: Path) -> object:
    """Return what is at a path, _NOTHING where there is nothing."""
    for key in path:
        if isinstance(value, dict):
            value = cast("dict[str, object]", value).get(key, _NOTHING)
        elif isinstance(value, list) and key.isascii() and key.isdigit() and len(key) < 9:
            items = cast("list[object]", value)
            value = items[int(key)] if int(key) < len(items) else _NOTHING
        else:
            return _NOTHING
    return value


def _put(into: dict[str, Any], path: Path, value: object) -> None:
    for key in path[:-1]:
        into = into.setdefault(key, {})
    into[path[-1]] = value
