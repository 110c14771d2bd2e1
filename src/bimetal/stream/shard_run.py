"""Shard run: one model on one shard of devices, pure from bytes to bytes; every engine calls it.

It is the stream of a single machine, put back to where a checkpoint says before it takes what comes: so
there is one way in which rows are put in order and scored, however many machines do it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bimetal.keep import states
from bimetal.keep.tail import Arrived
from bimetal.nouns.batch import Batch
from bimetal.nouns.errors import BadInput
from bimetal.stream.checkpoint import Checkpoint, from_states, to_states
from bimetal.stream.late import Reorder
from bimetal.stream.parcel import Outcome, Parcel, outcome_bytes, parcel_of
from bimetal.stream.scorer import Scorer
from bimetal.stream.shard import by_shard
from bimetal.stream.stream import Stream, Streamed


@dataclass(frozen=True, slots=True)
class ShardRun:
    """A model, ready to be run on any shard; `key` tells its states from those of another model.

    It keeps nothing: what a shard must remember is in the checkpoint, whose `sequence` is the last
    parcel that is in it. The same checkpoint and parcel give the same bytes on every machine.
    """

    name: str
    reorder: Reorder
    scorer: Scorer
    key: bytes

    @classmethod
    def of(cls, stream: Stream) -> ShardRun:
        """Return a stream's model, without what the stream remembers."""
        return cls(stream.name, stream.reorder, stream.scorer, stream.key)

    def start(self) -> Checkpoint:
        """Return the checkpoint of a shard that has seen nothing."""
        return Checkpoint(0, self.key, {}, {})

    def open(self, state: bytes, where: str = "") -> Checkpoint:
        """Return the checkpoint in these bytes, that of a new shard in none.

        Raises BadInput when they are damaged or another model's, Unsupported when they are newer.
        """
        return from_states(states.from_bytes(state, where), self.key) if state else self.start()

    def close(self, checkpoint: Checkpoint) -> bytes:
        """Return a checkpoint as bytes; equal ones are equal bytes."""
        return states.to_bytes(to_states(checkpoint))

    def push(self, before: Checkpoint, sequence: int, parcel: Parcel) -> tuple[Checkpoint, Outcome]:
        """Take in the parcel at a place of the shard's log; returns what to remember, and what was said.

        Raises BadInput when the place is not after the checkpoint's: that parcel is in it already.
        """
        if sequence <= before.sequence:
            raise BadInput(f"parcel {sequence} is in this state already, which is at {before.sequence}")
        stream = Stream(self.name, self.reorder, self.scorer, key=self.key)
        stream.go_on(before)
        streamed = stream.take(Arrived(sequence, parcel.now_ns, parcel.batch))
        return _in_order(stream.checkpoint(), before), _outcome(sequence, streamed)

    def advance(self, state: bytes, sequence: int, parcel: bytes) -> tuple[bytes, bytes]:
        """Do the same from bytes to bytes: a shard's state (b"": new) and a parcel.

        Returns the state after it and what was said of it. Raises as `open`, `parcel_of` and `push` do.
        """
        after, outcome = self.push(self.open(state), sequence, parcel_of(parcel))
        return self.close(after), outcome_bytes([outcome])

    def due_ns(self, checkpoint: Checkpoint) -> int | None:
        """Return when time alone would let rows through, None where none wait.

        Whoever feeds the shard sends it a parcel without rows then, if nothing else comes.
        """
        return self.reorder.due_ns(checkpoint.waiting)


def run_all(run: ShardRun, shards: int, parcels: Iterable[Parcel]) -> tuple[dict[int, bytes], list[bytes]]:
    """Run parcels of a whole fleet on this machine alone: the answer that every engine must give.

    The n-th parcel is at place n of the log of each shard that has rows in it. Returns each shard's
    state, and what was said, in the order of parcels, then shards.
    """
    reached: dict[int, Checkpoint] = {}
    said: list[bytes] = []
    for sequence, parcel in enumerate(parcels, 1):
        for shard, batch in sorted(by_shard(parcel.batch, shards).items()):
            before = reached.get(shard) or run.start()
            reached[shard], outcome = run.push(before, sequence, Parcel(parcel.now_ns, batch))
            said.append(outcome_bytes([outcome]))
    return {shard: run.close(state) for shard, state in reached.items()}, said


def _in_order(after: Checkpoint, before: Checkpoint) -> Checkpoint:
    """Return a checkpoint with its devices by name, as one that was stored has them.

    Devices that fall silent together are let through in this order, so that it is in what is said.
    """
    if len(after.states) == len(before.states) and len(after.waiting) == len(before.waiting):
        return after
    states, waiting = dict(sorted(after.states.items())), dict(sorted(after.waiting.items()))
    return Checkpoint(after.sequence, after.key, states, waiting)


def _outcome(sequence: int, streamed: Streamed) -> Outcome:
    ready, late, scored = streamed.ready, streamed.late, streamed.scored
    devices = tuple(dict.fromkeys((*ready.devices, *late.devices)))
    return Outcome(
        sequence,
        devices,
        _places(ready, devices),
        ready.time_ns,
        scored.score,
        scored.alarm,
        _places(late, devices),
        late.time_ns,
        scored.events,
    )


def _places(batch: Batch, devices: Sequence[str]) -> NDArray[np.int32]:
    """Return each row's device (n,) as an index into other devices."""
    place = {device: k for k, device in enumerate(devices)}
    return np.array([place[d] for d in batch.devices], np.int32)[batch.device]
