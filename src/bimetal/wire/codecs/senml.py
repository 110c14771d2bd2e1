"""SenML (RFC 8428): records of names, values and times, with what they share in base fields; JSON or CBOR."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import msgspec

from bimetal.nouns.batch import Batch
from bimetal.wire.codec import MOST_ROWS, Decoded
from bimetal.wire.harvest import LAST_NS, SHOWN, Harvest, Refused, harvested, know
from bimetal.wire.packed import pack, unpack

VERSION = 10
RELATIVE_S = 1 << 28
"""A time below this counts from when the message was received (RFC 8428, 4.5.3)."""
_LABELS = {
    -1: "bver", -2: "bn", -3: "bt", -4: "bu", -5: "bv", -6: "bs",
    0: "n", 1: "u", 2: "v", 3: "vs", 4: "vb", 5: "s", 6: "t", 7: "ut", 8: "vd",
}  # fmt: skip
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-:._/]*")
_ENDS = re.compile(r"[:/]")


class SenmlCodec:
    """SenML packs as JSON (`application/senml+json`).

    The signal is what a resolved name ends with, after its last `:` or `/`. A boolean is 1 or 0;
    a sum is the signal `NAME.sum`; texts and data are left out. Records of one instant make one row.
    """

    name = "senml"

    def __init__(self) -> None:
        self._decoder = msgspec.json.Decoder()

    def decode(self, device: str, payloads: Sequence[bytes], received_ns: Sequence[int]) -> Decoded:
        """Return the readings in payloads; one that cannot be used is quarantined, its neighbours are not."""
        return harvested(device, payloads, received_ns, _reading(self._parsed))

    def encode(self, batch: Batch) -> list[bytes]:
        """Return one pack for each row, with its time to the microsecond and the values that are there."""
        return [msgspec.json.encode(records) for records in _packs(batch)]

    def _parsed(self, payload: bytes) -> object:
        try:
            return cast("object", self._decoder.decode(payload))
        except (msgspec.DecodeError, RecursionError, ValueError) as error:
            raise Refused(f"it is not JSON: {str(error)[:SHOWN]}") from None


class SenmlCborCodec:
    """SenML packs as CBOR (`application/senml+cbor`), otherwise as `senml`."""

    name = "senml-cbor"

    def decode(self, device: str, payloads: Sequence[bytes], received_ns: Sequence[int]) -> Decoded:
        """Return the readings in payloads; one that cannot be used is quarantined, its neighbours are not."""
        return harvested(device, payloads, received_ns, _reading(_unpacked))

    def encode(self, batch: Batch) -> list[bytes]:
        """Return one pack for each row, with its time to the microsecond and the values that are there."""
        labels = {name: label for label, name in _LABELS.items()}
        return [
            pack([{labels[k]: v for k, v in one.items()} for one in records]) for records in _packs(batch)
        ]


def _reading(parse: Callable[[bytes], object]) -> Callable[[bytes, int, int, Harvest], None]:
    def read(payload: bytes, received_ns: int, index: int, harvest: Harvest) -> None:
        rows, left_out = _rows(_records(parse(payload)), received_ns)
        know(tuple(dict.fromkeys(name for row in rows.values() for name in row)), harvest.columns)
        for time_ns, row in rows.items():
            harvest.add(index, time_ns, tuple(row), list(row.values()))
        for name in left_out:
            harvest.left_out.setdefault(name, "text")

    return read


def _unpacked(payload: bytes) -> object:
    said = unpack(payload)
    if not isinstance(said, list):
        return said
    return [_named(record) for record in cast("list[object]", said)]


def _named(record: object) -> object:
    """Return a record with the names of its fields in place of their numbers (RFC 8428, table 4)."""
    if not isinstance(record, dict):
        return record
    return {_LABELS.get(k, k): v for k, v in cast("dict[Any, Any]", record).items()}


def _records(said: object) -> list[dict[Any, Any]]:
    """Return the records of a pack. Raises Refused."""
    if not isinstance(said, list) or not said:
        raise Refused("a pack of SenML is an array of records")
    records = cast("list[object]", said)
    if len(records) > MOST_ROWS:
        raise Refused(f"it has more than {MOST_ROWS:,} records")
    if not all(isinstance(record, dict) for record in records):
        raise Refused("a record of SenML is an object")
    return cast("list[dict[Any, Any]]", records)


def _rows(
    records: Sequence[Mapping[Any, Any]], received_ns: int
) -> tuple[dict[int, dict[str, float]], list[str]]:
    """Resolve records (RFC 8428, 4.6): values by instant and signal, and the names of what is no number."""
    lead_name, lead_s, lead_value, lead_sum = "", 0.0, 0.0, 0.0
    rows: dict[int, dict[str, float]] = {}
    left_out: list[str] = []
    for record in records:
        _check(record)
        lead_name = _text(record, "bn", lead_name)
        lead_s = _number(record, "bt", lead_s)
        lead_value, lead_sum = _number(record, "bv", lead_value), _number(record, "bs", lead_sum)
        kinds = [kind for kind in ("v", "vb", "vs", "vd") if kind in record]
        if len(kinds) > 1:
            raise Refused("a record of SenML has two values")
        if not kinds and "s" not in record:
            continue
        signal = _signal(lead_name + _text(record, "n", ""))
        time_ns = _instant(lead_s + _number(record, "t", 0.0), received_ns)
        if kinds in (["vs"], ["vd"]):
            left_out.append(signal)
        if kinds == ["v"]:
            rows.setdefault(time_ns, {})[signal] = lead_value + _number(record, "v", 0.0)
        if kinds == ["vb"]:
            if not isinstance(record["vb"], bool):
                raise Refused("vb of SenML is true or false")
            rows.setdefault(time_ns, {})[signal] = float(record["vb"])
        if "s" in record:
            rows.setdefault(time_ns, {})[f"{signal}.sum"] = lead_sum + _number(record, "s", 0.0)
    if not rows:
        raise Refused("no record in it has a number")
    return rows, left_out


def _check(record: Mapping[Any, Any]) -> None:
    """Raise Refused for what RFC 8428, 4.4, forbids to ignore."""
    version = record.get("bver", VERSION)
    if not isinstance(version, int) or version > VERSION:
        raise Refused(f"it is SenML of version {str(version)[:SHOWN]}, and {VERSION} is read here")
    unknown = next((k for k in record if isinstance(k, str) and k.endswith("_")), None)
    if unknown is not None:
        raise Refused(f"its field {ascii(unknown)[:SHOWN]} must be understood, and is not")


def _signal(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise Refused(f"{ascii(name)[:SHOWN]} is no name in SenML")
    return next(part for part in reversed(_ENDS.split(name)) if part)


def _instant(seconds: float, received_ns: int) -> int:
    if not abs(seconds) <= LAST_NS / 1e9 - 1:
        raise Refused("its time is none between 1970 and 2262")
    nanos = round(math.floor(seconds)) * 10**9 + round(seconds % 1 * 1e6) * 1000
    if seconds < RELATIVE_S:
        nanos += received_ns
    if not 0 <= nanos <= LAST_NS:
        raise Refused("its time is none between 1970 and 2262")
    return nanos


def _text(record: Mapping[Any, Any], field: str, otherwise: str) -> str:
    found = record.get(field, otherwise)
    if not isinstance(found, str):
        raise Refused(f"{field} of SenML is a text")
    return found


def _number(record: Mapping[Any, Any], field: str, otherwise: float) -> float:
    found = record.get(field, otherwise)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise Refused(f"{field} of SenML is a number")
    try:
        return float(found)
    except OverflowError:
        raise Refused(f"{field} of SenML is too large") from None


def _packs(batch: Batch) -> list[list[dict[str, Any]]]:
    names = [s.name for s in batch.signals]
    packs: list[list[dict[str, Any]]] = []
    for ns, row in zip(batch.time_ns.tolist(), batch.values.tolist(), strict=True):
        records = [{"n": n, "v": v} for n, v in zip(names, row, strict=True) if math.isfinite(v)]
        if records:
            records[0] = {"bt": ns / 1e9 if ns % 10**9 else ns // 10**9, **records[0]}
            packs.append(records)
    return packs
