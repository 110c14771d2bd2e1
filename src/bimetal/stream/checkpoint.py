"""Checkpoint: the states of all devices at one instant, as one file that is whole or refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

import msgspec
import numpy as np

from bimetal.keep.disk import in_words, write_whole
from bimetal.nouns.errors import BadInput, Unsupported
from bimetal.nouns.event import Cause
from bimetal.stream.edge import Watch
from bimetal.stream.late import Waiting
from bimetal.stream.scorer import DeviceState

VERSION = 1
MAGIC = b"BMCK"
_DIGEST_BYTES = 32
_HEAD = len(MAGIC) + 1 + _DIGEST_BYTES


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything a stream needs to go on: `sequence` is the last batch that is in it.

    `program` is the digest of the program the states belong to; `waiting` are rows that were not
    let through yet. Batches after `sequence` must be fed again, in order.
    """

    sequence: int
    program: bytes
    states: Mapping[str, DeviceState]
    waiting: Mapping[str, Waiting] = field(default_factory=dict[str, Waiting])

    def without(self, device: str) -> Checkpoint:
        """Return it without a device, as erasure asks for."""
        return Checkpoint(
            self.sequence,
            self.program,
            {d: s for d, s in self.states.items() if d != device},
            {d: w for d, w in self.waiting.items() if d != device},
        )


class _State(msgspec.Struct, array_like=True):
    program: bytes
    alarm_since_ns: int | None
    cause: Cause
    faulty: tuple[bool, ...]
    sensor_since_ns: int | None


class _Waiting(msgspec.Struct, array_like=True):
    time_ns: bytes
    values: bytes
    signals: int
    last_ns: int | None
    last: bytes | None
    heard_ns: int


class _File(msgspec.Struct):
    sequence: int
    program: bytes
    states: dict[str, _State]
    waiting: dict[str, _Waiting]


def to_bytes(checkpoint: Checkpoint) -> bytes:
    """Return a checkpoint as bytes: magic, format, BLAKE2b digest, then MessagePack."""
    states = {d: _State(s.program, *_watched(s.watch)) for d, s in checkpoint.states.items()}
    waiting = {d: _packed(w) for d, w in checkpoint.waiting.items()}
    body = msgspec.msgpack.encode(_File(checkpoint.sequence, checkpoint.program, states, waiting))
    return MAGIC + bytes([VERSION]) + _digest(body) + body


def from_bytes(content: bytes, program: bytes, where: str = "") -> Checkpoint:
    """Return the checkpoint in these bytes.

    Raises BadInput when it is damaged or belongs to another program, Unsupported when it is newer.
    """
    if content[: len(MAGIC)] != MAGIC or len(content) < _HEAD:
        raise BadInput("this is not a checkpoint of bimetal", where=where, hint="Move the file away")
    if content[len(MAGIC)] > VERSION:
        raise Unsupported(
            f"this checkpoint has format {content[len(MAGIC)]}, and this bimetal reads up to {VERSION}",
            where=where,
            hint="Install the bimetal that wrote it, or a newer one",
        )
    body = content[_HEAD:]
    if _digest(body) != content[len(MAGIC) + 1 : _HEAD]:
        raise BadInput("this checkpoint is damaged", where=where, hint="Remove it: programs start anew")
    try:
        read = msgspec.msgpack.decode(body, type=_File)
        waiting = {d: _unpacked(w) for d, w in read.waiting.items()}
    except (msgspec.MsgspecError, ValueError) as error:
        raise BadInput(f"this checkpoint cannot be read: {error}", where=where) from None
    if read.program != program:
        raise BadInput(
            "this checkpoint belongs to another program", where=where, hint="Remove it: programs start anew"
        )
    states = {
        d: DeviceState(s.program, Watch(s.alarm_since_ns, s.cause, s.faulty, s.sensor_since_ns))
        for d, s in read.states.items()
    }
    return Checkpoint(read.sequence, read.program, states, waiting)


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Put a checkpoint in place of the one before, whole or not at all; raises as `write_whole` does."""
    write_whole(path, to_bytes(checkpoint))


def load_checkpoint(path: Path, program: bytes) -> Checkpoint:
    """Read a checkpoint made for a program (its digest); raises NotFound, BadInput or Unsupported."""
    with in_words(path):
        content = path.read_bytes()
    return from_bytes(content, program, str(path))


def _digest(body: bytes) -> bytes:
    return blake2b(body, digest_size=_DIGEST_BYTES).digest()


def _watched(watch: Watch) -> tuple[int | None, Cause, tuple[bool, ...], int | None]:
    return watch.alarm_since_ns, watch.cause, watch.faulty, watch.sensor_since_ns


def _packed(waiting: Waiting) -> _Waiting:
    return _Waiting(
        waiting.time_ns.astype("<i8").tobytes(),
        waiting.values.astype("<f8").tobytes(),
        waiting.values.shape[1],
        waiting.last_ns,
        None if waiting.last is None else waiting.last.astype("<f8").tobytes(),
        waiting.heard_ns,
    )


def _unpacked(waiting: _Waiting) -> Waiting:
    time_ns = np.frombuffer(waiting.time_ns, "<i8").astype(np.int64)
    values = np.frombuffer(waiting.values, "<f8").astype(np.float64).reshape(len(time_ns), waiting.signals)
    last = None if waiting.last is None else np.frombuffer(waiting.last, "<f8").astype(np.float64)
    return Waiting(time_ns, values, waiting.last_ns, last, waiting.heard_ns)
