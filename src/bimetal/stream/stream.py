"""Stream: one model on arriving batches: rows put in order and scored, with all it must remember."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bimetal.nouns.batch import Batch
from bimetal.stream.late import Reorder, Sorted, Waiting
from bimetal.stream.scorer import DeviceState, Scored, Scorer


@dataclass(frozen=True, slots=True)
class Streamed:
    """What a stream made of a batch: rows in order, what it said of them, and rows too late to be scored."""

    ready: Batch
    late: Batch
    scored: Scored


@dataclass(slots=True)
class Stream:
    """A model that watches devices as their readings arrive; `name` is what people call it.

    Without `devices` it watches all of them. Not for several threads at once; its owner sees to that.
    """

    name: str
    reorder: Reorder
    scorer: Scorer
    devices: frozenset[str] | None = None
    states: Mapping[str, DeviceState] = field(default_factory=dict[str, DeviceState])
    waiting: Mapping[str, Waiting] = field(default_factory=dict[str, Waiting])

    def push(self, batch: Batch, now_ns: int) -> Streamed:
        """Take a batch in at `now_ns`; returns what could go on, and what came of it."""
        return self._advance(self.reorder.push(self.waiting, self._mine(batch), now_ns))

    def settle(self, now_ns: int | None = None) -> Streamed:
        """Let through what waits of devices that fell silent, or of all of them without a time."""
        return self._advance(self.reorder.flush(self.waiting, now_ns))

    def catch_up(self, kept: Batch, now_ns: int) -> None:
        """Take in what was kept before this stream began: it sets the state, and nothing is said of it."""
        self.push(kept, now_ns)
        self.settle()

    def _mine(self, batch: Batch) -> Batch:
        return batch if self.devices is None else batch.of_devices(self.devices)

    def _advance(self, ordered: Sorted) -> Streamed:
        self.waiting = ordered.waiting
        self.states, scored = self.scorer.advance(self.states, ordered.ready)
        return Streamed(ordered.ready, ordered.late, scored)
