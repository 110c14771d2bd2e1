"""Checkpoint: the states of all devices at one instant, to and from what is kept of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import msgspec
import numpy as np

from bimetal.keep.states import States
from bimetal.nouns.errors import BadInput
from bimetal.nouns.event import Cause
from bimetal.program.digest import digest
from bimetal.program.program import Program
from bimetal.stream.edge import Watch
from bimetal.stream.late import Waiting
from bimetal.stream.scorer import DeviceState

_ANEW = "Remove it: the model begins anew"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything a stream needs to go on: `sequence` is the last batch that is in it.

    `key` says whose states they are (see `key_of`); `waiting` are rows that were not let through
    yet. Batches after `sequence` must be fed again, in order.
    """

    sequence: int
    key: bytes
    states: Mapping[str, DeviceState]
    waiting: Mapping[str, Waiting] = field(default_factory=dict[str, Waiting])


class _Device(msgspec.Struct, array_like=True):
    """A device in a checkpoint: its program's bytes and its watch, then its rows that wait."""

    program: bytes | None
    alarm_since_ns: int | None
    cause: Cause
    faulty: tuple[int, ...]
    sensor_since_ns: int | None
    context_since_ns: int | None
    drift: bool
    time_ns: bytes
    values: bytes
    signals: int
    last_ns: int | None
    last: bytes
    heard_ns: int


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Device)


def key_of(program: Program, blocks: Mapping[str, bytes], signals: Sequence[str]) -> bytes:
    """Return what tells the states of one model from those of another: BLAKE2b of all that acts on them."""
    whole = blake2b(digest(program), digest_size=32)
    whole.update(msgspec.msgpack.encode([sorted(blocks.items()), list(signals)]))
    return whole.digest()


def to_states(checkpoint: Checkpoint) -> States:
    """Return a checkpoint as what is kept of it, device by device."""
    names = {*checkpoint.states, *checkpoint.waiting}
    devices = {d: _packed(checkpoint.states.get(d), checkpoint.waiting.get(d)) for d in sorted(names)}
    return States(checkpoint.sequence, checkpoint.key, devices)


def from_states(kept: States, key: bytes) -> Checkpoint:
    """Return the checkpoint that was kept; raises BadInput for another model's or a damaged one."""
    if kept.key != key:
        raise BadInput("these states belong to another model", hint=_ANEW)
    states: dict[str, DeviceState] = {}
    waiting: dict[str, Waiting] = {}
    for device, content in kept.devices.items():
        try:
            read = _DECODER.decode(content)
            if read.program is not None:
                watch = Watch(
                    read.alarm_since_ns,
                    read.cause,
                    read.faulty,
                    read.sensor_since_ns,
                    read.context_since_ns,
                    read.drift,
                )
                states[device] = DeviceState(read.program, watch)
            if read.signals:
                waiting[device] = _unpacked(read)
        except (msgspec.MsgspecError, ValueError) as error:
            raise BadInput(f"these states cannot be read: {error}", hint=_ANEW) from None
    return Checkpoint(kept.sequence, kept.key, states, waiting)


_NOTHING = Waiting(np.empty(0, np.int64), np.empty((0, 0)))


def _packed(state: DeviceState | None, waiting: Waiting | None) -> bytes:
    watch = state.watch if state else Watch()
    rows = waiting or _NOTHING
    return _ENCODER.encode(
        _Device(
            state.program if state else None,
            watch.alarm_since_ns,
            watch.cause,
            watch.faulty,
            watch.sensor_since_ns,
            watch.context_since_ns,
            watch.drift,
            rows.time_ns.astype("<i8").tobytes(),
            rows.values.astype("<f8").tobytes(),
            rows.values.shape[1],
            rows.last_ns,
            b"" if rows.last is None else rows.last.astype("<f8").tobytes(),
            rows.heard_ns,
        )
    )


def _unpacked(read: _Device) -> Waiting:
    time_ns = np.frombuffer(read.time_ns, "<i8").astype(np.int64)
    values = np.frombuffer(read.values, "<f8").astype(np.float64).reshape(len(time_ns), read.signals)
    last = np.frombuffer(read.last, "<f8").astype(np.float64).reshape(-1, read.signals)
    return Waiting(time_ns, values, read.last_ns, last if len(last) else None, read.heard_ns)
