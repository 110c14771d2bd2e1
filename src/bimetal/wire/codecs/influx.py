"""Influx: lines of `measurement,tag=text field=1.5,other=2i 1767225600000000000`, as Telegraf sends."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from bimetal.nouns.batch import Batch
from bimetal.wire.codec import MOST_ROWS, Decoded
from bimetal.wire.harvest import LAST_NS, SHOWN, Harvest, Refused, harvested, know

PLACES = ("device", "host")
"""Tags that say who speaks, which the topic has said already."""
_PART = r"(?:[^,= \\]|\\.)+"
_SERIES = re.compile(rf"((?:[^, \\]|\\.)+)((?:,{_PART}={_PART})*)")
_TAG = re.compile(rf",({_PART})=({_PART})")
_FIELD = re.compile(rf'({_PART})=("(?:[^"\\]|\\.)*"|[^", ]+)')
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[iu]?", re.ASCII)
_STAMP = re.compile(r"-?\d{1,19}", re.ASCII)
_TRUE, _FALSE = {"t", "T", "true", "True", "TRUE"}, {"f", "F", "false", "False", "FALSE"}


class InfluxCodec:
    """InfluxDB line protocol (`application/influx`), times in nanoseconds since 1970 UTC.

    A signal is called `measurement.field`, with tags between the two except `device` and `host`; the
    field `value` is called as its measurement. A boolean is 1 or 0; texts are left out.
    """

    name = "influx"

    def decode(self, device: str, payloads: Sequence[bytes], received_ns: Sequence[int]) -> Decoded:
        """Return the readings in payloads; one that cannot be used is quarantined, its neighbours are not."""
        return harvested(device, payloads, received_ns, _read)

    def encode(self, batch: Batch) -> list[bytes]:
        """Return the batch as one payload, each signal as a measurement with the field `value`."""
        lines = [
            f"{_escaped(signal.name)} value={value!r} {ns}"
            for ns, row in zip(batch.time_ns.tolist(), batch.values.tolist(), strict=True)
            for signal, value in zip(batch.signals, row, strict=True)
            if math.isfinite(value)
        ]
        return ["\n".join([*lines, ""]).encode()] if lines else []


def _read(payload: bytes, received_ns: int, index: int, harvest: Harvest) -> None:
    try:
        text = payload.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refused("it is not text in UTF-8") from None
    rows: dict[int, dict[str, float]] = {}
    left_out: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip(" \r")
        if line and not line.startswith("#"):
            _line(line, number, received_ns, rows, left_out)
            if len(rows) > MOST_ROWS:
                raise Refused(f"it has more than {MOST_ROWS:,} instants")
    if not rows:
        raise Refused("no field in it has a number")
    know(tuple(dict.fromkeys(name for row in rows.values() for name in row)), harvest.columns)
    for time_ns, row in rows.items():
        harvest.add(index, time_ns, tuple(row), list(row.values()))
    for name in left_out:
        harvest.left_out.setdefault(name, "text")


def _line(
    line: str, number: int, received_ns: int, rows: dict[int, dict[str, float]], left_out: list[str]
) -> None:
    """Read one line. Raises Refused."""
    series = _SERIES.match(line)
    if series is None or series.end() >= len(line) or line[series.end()] != " ":
        raise Refused(f"its line {number} has no measurement and fields")
    tags = "".join(f",{k}={v}" for k, v in _TAG.findall(series[2]) if k not in PLACES)
    prefix, at = _plain(series[1] + tags), series.end() + 1
    row: dict[str, float] = {}
    while True:
        field = _FIELD.match(line, at)
        if field is None:
            raise Refused(f"its line {number} has a field that is none")
        value, name = _value(field[2], number), _plain(field[1])
        signal = prefix if name == "value" else f"{prefix}.{name}"
        if value is None:
            left_out.append(signal)
        else:
            row[signal] = value
        at = field.end()
        if at == len(line) or line[at] == " ":
            break
        if line[at] != ",":
            raise Refused(f"its line {number} has a field that is none")
        at += 1
    time_ns = _instant(line[at:].strip(), number, received_ns)
    if row:
        rows.setdefault(time_ns, {}).update(row)


def _value(text: str, line: int) -> float | None:
    """Return a field's value, None for a text. Raises Refused."""
    if text.startswith('"'):
        return None
    if text in _TRUE or text in _FALSE:
        return float(text in _TRUE)
    if not _NUMBER.fullmatch(text):
        raise Refused(f"{ascii(text)[:SHOWN]} in its line {line} is no value")
    return float(text.rstrip("iu"))


def _instant(text: str, line: int, received_ns: int) -> int:
    if not text:
        return received_ns
    if not _STAMP.fullmatch(text) or not 0 <= int(text) <= LAST_NS:
        raise Refused(
            f"{ascii(text)[:SHOWN]} in its line {line} is no time: nanoseconds since 1970 are expected"
        )
    return int(text)


def _plain(text: str) -> str:
    return re.sub(r"\\([,= \\])", r"\1", text)


def _escaped(name: str) -> str:
    return re.sub(r"([,= \\])", r"\\\1", name)
