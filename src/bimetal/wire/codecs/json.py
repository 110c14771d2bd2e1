"""JSON: a message is an object of signals and numbers, or an array of them, or columns."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.batch import Batch
from bimetal.wire.codec import LARGEST_PAYLOAD, MOST_ROWS, Decoded
from bimetal.wire.harvest import (
    LAST_MS,
    MS_NS,
    SHOWN,
    TIME,
    Harvest,
    Refused,
    harvested,
    instant,
    instants,
    know,
    objects_of,
    read_objects,
)

DEEPEST = 64
FEWEST_ALIKE = 4
MOST_TOGETHER = 20_000
_VALUES = dict[str, float].values


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
        return self._alike(device, payloads, received_ns) or harvested(
            device, payloads, received_ns, self._read
        )

    def encode(self, batch: Batch) -> list[bytes]:
        """Return one object for each row, with its time to the microsecond and the values that are there."""
        return [msgspec.json.encode(row) for row in objects_of(batch)]

    def _read_plain(self, payload: bytes, received_ns: int, index: int, harvest: Harvest) -> bool:
        """Read flat objects of numbers; False when it is anything else, or may have a key twice.

        Keys and values of such objects usually hold no colon, so that there are as many as keys.
        """
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
            know(names, harvest.columns)
        harvest.add(index, received_ns if time_ms is None else instant(time_ms), names, list(said.values()))
        return True

    def _read_many(
        self, many: list[dict[str, float]], payload: bytes, received_ns: int, index: int, harvest: Harvest
    ) -> bool:
        """Keep an array of flat objects, all of them or none."""
        if len(many) > MOST_ROWS or payload.count(b":") != sum(map(len, many)):
            return False
        times = [each.pop(TIME, None) for each in many]
        if not many or not all(many):
            return False
        stamps = instants(times, received_ns)
        names = tuple(many[0])
        if all(tuple(each) == names for each in many):
            know(names, harvest.columns)
            harvest.add_many(index, stamps, names, (each.values() for each in many))
            return True
        know(tuple(dict.fromkeys(n for each in many for n in each)), harvest.columns)
        for time_ns, each in zip(stamps, many, strict=True):
            harvest.add(index, time_ns, tuple(each), list(each.values()))
        return True

    def _alike(self, device: str, payloads: Sequence[bytes], received_ns: Sequence[int]) -> Decoded | None:
        """Read objects, or arrays of them, that all have the same keys, in one go; None when they have not.

        Each payload must be whole by itself, so that what is joined falls apart as it was: it begins and
        ends with an object, and as many objects are found as there are braces, so that none is in a key.
        """
        inner = [_objects(payload) for payload in payloads]
        counts = [each.count(b"{") for each in inner]
        if sum(counts) < FEWEST_ALIKE or not all(counts) or max(counts) > MOST_ROWS:
            return None
        if counts != [each.count(b"}") for each in inner]:
            return None
        names: tuple[str, ...] = ()
        parts: list[NDArray[np.float64]] = []
        for a, b in _pieces(counts):
            found = self._same(inner[a:b], sum(counts[a:b]))
            if found is None or (parts and found[0] != names):
                return None
            names = found[0]
            parts.append(found[1])
        values, times = np.concatenate(parts), np.repeat(np.array(received_ns, np.int64), counts)
        if TIME in names:
            at = names.index(TIME)
            whole = values[:, at]
            if not ((whole >= 0) & (whole <= LAST_MS) & (whole == np.floor(whole))).all():
                return None
            times, values = whole.astype(np.int64) * MS_NS, np.delete(values, at, axis=1)
        columns: dict[str, int] = {}
        try:
            know(tuple(n for n in names if n != TIME), columns)
        except Refused:
            return None
        if not columns:
            return None
        values[np.isinf(values)] = np.nan
        message = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
        return Decoded(device, tuple(columns), times, values, message)

    def _same(self, inner: Sequence[bytes], count: int) -> tuple[tuple[str, ...], NDArray[np.float64]] | None:
        """Return the keys that all of `count` flat objects have, and their values (count, keys)."""
        whole = b"[%b]" % b",".join(inner)
        try:
            said = self._plain_many.decode(whole)
        except (msgspec.DecodeError, RecursionError, ValueError):
            return None
        names = tuple(said[0])
        alike = len(said) == count and all(map(names.__eq__, map(tuple, said)))
        if not alike or whole.count(b":") != count * len(names):
            return None
        values = np.fromiter(chain.from_iterable(map(_VALUES, said)), np.float64, count * len(names))
        return names, values.reshape(count, len(names))

    def _read(self, payload: bytes, received_ns: int, index: int, harvest: Harvest) -> None:
        if not self._read_plain(payload, received_ns, index, harvest):
            read_objects(self._parsed(payload), received_ns, index, harvest)

    def _parsed(self, payload: bytes) -> object:
        if not payload.strip():
            raise Refused("it is empty")
        _check_depth(payload)
        try:
            self._any.decode(payload)
            return cast("object", json.loads(payload, object_pairs_hook=_once, parse_constant=_no_constant))
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise Refused(f"it is not JSON: {str(error)[:SHOWN]}") from None


def _objects(payload: bytes) -> bytes:
    """Return what may be one object, or the objects of an array, by its ends alone; empty: neither."""
    if len(payload) > LARGEST_PAYLOAD:
        return b""
    if payload[:1] == b"{" and payload[-1:] == b"}":
        return payload if payload.count(b"{") == 1 else b""
    return payload[1:-1] if payload[:2] == b"[{" and payload[-2:] == b"}]" else b""


def _pieces(counts: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield stretches (from, to) of payloads that hold no more objects than fit in memory together."""
    begin = held = 0
    for k, count in enumerate(counts):
        if held and held + count > MOST_TOGETHER:
            yield begin, k
            begin, held = k, 0
        held += count
    yield begin, len(counts)


def _check_depth(payload: bytes) -> None:
    """Raise Refused for brackets nested deeper than any reading needs, before anything recurses."""
    deep = 0
    for opened in payload.translate(None, _NO_BRACKETS):
        deep += 1 if opened in b"[{" else -1
        if deep > DEEPEST:
            raise Refused(f"it is nested more than {DEEPEST} deep")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    said = dict(pairs)
    if len(said) < len(pairs):
        raise ValueError("a key comes twice")
    return said


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")


_NO_BRACKETS = bytes(c for c in range(256) if c not in b"[]{}")
