"""Stream: one model on arriving batches: rows put in order and scored, with all it must remember.

What a stream says is a function of the batches it has taken and of when each arrived: so one that
was killed goes on from a checkpoint and the batches since, and says what it would have said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from bimetal.keep.tail import Arrived
from bimetal.nouns.batch import Batch
from bimetal.nouns.errors import BadProgram
from bimetal.nouns.event import Event
from bimetal.program.layout import layout_of
from bimetal.stream.checkpoint import Checkpoint
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

    Without `devices` it watches all of them. `key` tells its states from another model's, and
    `sequence` is the last batch it has taken. Not for several threads at once; its owner sees to that.
    """

    name: str
    reorder: Reorder
    scorer: Scorer
    devices: frozenset[str] | None = None
    key: bytes = b""
    sequence: int = 0
    states: dict[str, DeviceState] = field(default_factory=dict[str, DeviceState])
    waiting: dict[str, Waiting] = field(default_factory=dict[str, Waiting])
    _due_ns: int | None = None

    def take(self, arrived: Arrived) -> Streamed:
        """Take in a batch that was kept; its events have ids, the same whenever it is taken in again."""
        streamed = self.push(arrived.batch, arrived.time_ns)
        self.sequence = arrived.sequence
        events = tuple(_numbered(streamed.scored.events, f"{arrived.sequence}", self.name))
        return replace(streamed, scored=replace(streamed.scored, events=events))

    def push(self, batch: Batch, now_ns: int) -> Streamed:
        """Take a batch in at `now_ns`; returns what could go on, and what came of it."""
        all_talk = not self.due(now_ns)
        ordered = self.reorder.push(self.waiting, self._mine(batch), now_ns, all_talk=all_talk)
        streamed = self._advance(ordered)
        # What is left waiting was heard of now or earlier, so that this is never too late.
        soonest = now_ns + self.reorder.wait_ns
        self._due_ns = soonest if self._due_ns is None else min(self._due_ns, soonest)
        return streamed

    def due(self, now_ns: int) -> bool:
        """Say whether a device has been silent for so long that a `push`, even of nothing, lets rows go."""
        if self._due_ns is not None and self._due_ns <= now_ns:
            self._due_ns = self.reorder.due_ns(self.waiting)
        return self._due_ns is not None and self._due_ns <= now_ns

    def settle(self, now_ns: int | None = None) -> Streamed:
        """Let through what waits of devices that fell silent, or of all of them without a time."""
        return self._advance(self.reorder.flush(self.waiting, now_ns))

    def catch_up(self, kept: Batch, now_ns: int) -> None:
        """Take in what was kept before this stream began: it sets the state, and nothing is said of it."""
        self.push(kept, now_ns)
        self.settle()

    def checkpoint(self) -> Checkpoint:
        """Return all that it remembers, as it is now; what happens later does not change it."""
        return Checkpoint(self.sequence, self.key, dict(self.states), dict(self.waiting))

    def go_on(self, checkpoint: Checkpoint) -> None:
        """Remember what a checkpoint says, and nothing else."""
        self.sequence = checkpoint.sequence
        self.states, self.waiting = dict(checkpoint.states), dict(checkpoint.waiting)
        self._due_ns = self.reorder.due_ns(self.waiting)

    def know(self, other: Stream) -> None:
        """Go on as another does whose program has the same state, remembering what this one remembers.

        What is being taken in meanwhile is still scored as before. Raises BadProgram for another state.
        """
        mine, theirs = (layout_of(s.scorer.program).state for s in (self, other))
        if mine != theirs:
            raise BadProgram("its program has another state, so it must begin anew", where=other.name)
        self.scorer, self.key = other.scorer, other.key

    def forget(self, device: str) -> None:
        """Remember nothing of a device."""
        self.states.pop(device, None)
        self.waiting.pop(device, None)
        self.scorer.forget([device])

    def _mine(self, batch: Batch) -> Batch:
        return batch if self.devices is None else batch.of_devices(self.devices)

    def _advance(self, ordered: Sorted) -> Streamed:
        self.waiting |= ordered.waiting
        after, scored = self.scorer.advance(self.states, ordered.ready)
        self.states |= after
        return Streamed(ordered.ready, ordered.late, scored)


def _numbered(events: Iterable[Event], batch: str, stream: str) -> Iterator[Event]:
    """Give events their ids: the batch's number, the how-manieth of its device in it, stream and device.

    Counted device by device, so that the ids of others stay when a device is erased.
    """
    counts: dict[str, int] = {}
    for event in events:
        count = counts[event.device] = counts.get(event.device, -1) + 1
        yield replace(event, id=f"{batch}:{count}:{stream}:{event.device}")
