"""Parcel: what a shard is sent, and what it says of it, as bytes that are the same on every engine.

The numbers of a parcel lie in it as they lie in memory, little end first: it is made and read in
microseconds, whatever number of rows it has.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.batch import Batch
from bimetal.nouns.errors import BadInput, Error, Unsupported
from bimetal.nouns.event import Event
from bimetal.nouns.signal import Signal

VERSION = 1


@dataclass(frozen=True, slots=True)
class Parcel:
    """What arrived for a shard at `now_ns`, by the receiver's clock; without rows it says what time it is."""

    now_ns: int
    batch: Batch


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a shard said of one parcel, n rows that were scored, in order, and l that came too late.

    `sequence` is the parcel's place in the shard's log. `score` is NaN and `alarm` false where the
    program put none out. `device` and `late_device` are indices into `devices`.
    """

    sequence: int
    devices: tuple[str, ...]
    device: NDArray[np.int32]
    time_ns: NDArray[np.int64]
    score: NDArray[np.float64]
    alarm: NDArray[np.bool_]
    late_device: NDArray[np.int32]
    late_ns: NDArray[np.int64]
    events: tuple[Event, ...]

    def __len__(self) -> int:
        return len(self.time_ns)

    @property
    def silent(self) -> bool:
        """Whether there is nothing in it that anybody would want to know."""
        return not len(self.time_ns) and not len(self.late_ns) and not self.events


class _Parcel(msgspec.Struct, array_like=True):
    version: int
    now_ns: Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
    devices: tuple[str, ...]
    signals: tuple[Signal, ...]
    time_ns: bytes
    device: bytes
    values: bytes


class _Outcome(msgspec.Struct, array_like=True):
    sequence: int
    devices: tuple[str, ...]
    device: bytes
    time_ns: bytes
    score: bytes
    alarm: bytes
    late_device: bytes
    late_ns: bytes
    events: tuple[Event, ...]


class _Said(msgspec.Struct, array_like=True):
    version: int
    outcomes: tuple[_Outcome, ...]


T = TypeVar("T")


def parcel_bytes(parcel: Parcel) -> bytes:
    """Return a parcel as MessagePack; devices without rows are left out."""
    batch = parcel.batch
    used, index = np.unique(batch.device, return_inverse=True)
    names: list[int] = used.tolist()
    return msgspec.msgpack.encode(
        _Parcel(
            VERSION,
            parcel.now_ns,
            tuple(batch.devices[k] for k in names),
            batch.signals,
            batch.time_ns.astype("<i8", copy=False).tobytes(),
            index.astype("<i4").tobytes(),
            batch.values.astype("<f8", copy=False).tobytes(),
        )
    )


def parcel_of(content: bytes, where: str = "") -> Parcel:
    """Return the parcel in these bytes; raises BadInput when it is none, Unsupported when it is newer."""
    read = _read(content, _Parcel, "parcel", where)
    try:
        time_ns = _column(read.time_ns, np.int64)
        values = _column(read.values, np.float64).reshape(len(time_ns), len(read.signals))
        batch = Batch(read.devices, read.signals, time_ns, _column(read.device, np.int32), values)
    except (ValueError, Error) as error:
        raise BadInput(f"this is no parcel: {error}", where=where) from None
    return Parcel(read.now_ns, batch)


def outcome_bytes(outcomes: Iterable[Outcome]) -> bytes:
    """Return what a shard said of some parcels, in their order, as MessagePack."""
    return msgspec.msgpack.encode(_Said(VERSION, tuple(_packed(one) for one in outcomes)))


def outcomes_of(content: bytes, where: str = "") -> tuple[Outcome, ...]:
    """Return what `outcome_bytes` wrote; raises BadInput when it is none, Unsupported when it is newer."""
    read = _read(content, _Said, "outcome", where)
    try:
        return tuple(_unpacked(one) for one in read.outcomes)
    except ValueError as error:
        raise BadInput(f"this is no outcome: {error}", where=where) from None


def _packed(one: Outcome) -> _Outcome:
    return _Outcome(
        one.sequence,
        one.devices,
        one.device.astype("<i4", copy=False).tobytes(),
        one.time_ns.astype("<i8", copy=False).tobytes(),
        one.score.astype("<f8", copy=False).tobytes(),
        one.alarm.tobytes(),
        one.late_device.astype("<i4", copy=False).tobytes(),
        one.late_ns.astype("<i8", copy=False).tobytes(),
        one.events,
    )


def _unpacked(one: _Outcome) -> Outcome:
    device, time_ns = _column(one.device, np.int32), _column(one.time_ns, np.int64)
    score, alarm = _column(one.score, np.float64), _column(one.alarm, np.uint8) != 0
    late_device, late_ns = _column(one.late_device, np.int32), _column(one.late_ns, np.int64)
    if {len(device), len(score), len(alarm)} != {len(time_ns)} or len(late_device) != len(late_ns):
        raise ValueError("its columns have different lengths")
    for index in (device, late_device):
        if len(index) and not 0 <= index.min() <= index.max() < len(one.devices):
            raise ValueError("it names a device it does not list")
    return Outcome(one.sequence, one.devices, device, time_ns, score, alarm, late_device, late_ns, one.events)


def _read(content: bytes, kind: type[T], name: str, where: str) -> T:
    try:
        read = msgspec.msgpack.decode(content, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, Error) as error:
        raise _newer(content, name, where) or BadInput(f"this is no {name}: {error}", where=where) from None
    return read


def _newer(content: bytes, name: str, where: str) -> Error | None:
    """Return the right words where a later bimetal wrote it; its parts may be others, its number is not."""
    try:
        parts = msgspec.msgpack.decode(content)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    if not (isinstance(parts, list) and parts and isinstance(parts[0], int) and parts[0] > VERSION):
        return None
    return Unsupported(
        f"this {name} has format {parts[0]}, and this bimetal reads up to {VERSION}",
        where=where,
        hint="Install the bimetal that wrote it, or a newer one",
    )


def _column(content: bytes, kind: type[Any]) -> NDArray[Any]:
    return np.frombuffer(content, np.dtype(kind).newbyteorder("<")).astype(kind, copy=False)
