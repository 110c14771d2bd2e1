"""Scorer: programs on arriving batches, one state a device, pure from states to states.

batch -> rows of each device, in order -> its program -> outputs in the batch's order
                                               \\-> edges -> explain -> events
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.batch import Batch
from bimetal.nouns.event import Event
from bimetal.nouns.signal import Signal
from bimetal.program.layout import initial_state, layout_of
from bimetal.program.node import EVERY
from bimetal.program.program import Program
from bimetal.stream.again import Again
from bimetal.stream.edge import Explain, Said, Watch, edges
from bimetal.stream.feed import Feed
from bimetal.stream.runs import Runs, RunsMany

_COMPANY = 16
"""So many devices are enough for every target to run them as it runs many."""


class Further(Protocol):
    """Says more of an event, from what can be asked about its row (see again.py)."""

    def __call__(self, event: Event, asks: Again, at: int) -> Event:
        """Return the event with what was found out."""
        ...


@dataclass(frozen=True, slots=True)
class DeviceState:
    """All that must be remembered of a device between batches: the program's bytes, and what is going on."""

    program: bytes
    watch: Watch = field(default_factory=Watch)


@dataclass(frozen=True, slots=True)
class Scored:
    """What programs said about a batch of n rows, in its order, and what came of it.

    `score` is NaN and `alarm` false at rows where the program put none out.
    """

    outputs: NDArray[Any]
    fired: NDArray[np.uint32]
    score: NDArray[np.float64]
    alarm: NDArray[np.bool_]
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class _Group:
    """Devices that can be run at once, and the rows (D, n) of each in the batch, in order."""

    running: Runs
    devices: list[str]
    places: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class _Shape:
    """What is fixed about a program: its structs, and the bit of the clock of each output."""

    start: bytes
    output: np.dtype[Any]
    bits: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Scorer:
    """Runs every device's rows through its program: `load(device)` is that program, ready.

    Without `explain`, nothing is said but outputs. What `load` returned is used again for the same
    device until `forget`; it keeps no state of its own, so this changes no answer. Devices for
    which it returned the very same object are run together where it can do that. `further` may add to events.
    """

    program: Program
    feed: Feed
    load: Callable[[str], Runs]
    explain: Explain | None = None
    further: Further | None = None
    _loaded: dict[str, Runs] = field(default_factory=dict[str, Runs])
    _shape: _Shape = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        clocks = self.program.clocks
        bits = {name: clocks.index(node.clock or EVERY) for name, node in self.program.outputs}
        output = layout_of(self.program).output.dtype
        object.__setattr__(self, "_shape", _Shape(initial_state(self.program), output, bits))

    def advance(
        self, states: Mapping[str, DeviceState], batch: Batch
    ) -> tuple[dict[str, DeviceState], Scored]:
        """Return the states after a batch of those devices that are in it, and what was said about it.

        Pure: the states given are left as they are, and a stream split anywhere ends the same.
        Devices never met before start from the program's initial state. What a batch costs does not
        depend on how many devices there are beside its own.
        """
        after: dict[str, DeviceState] = {}
        fresh = DeviceState(self._shape.start)
        values = self.feed.values(batch)
        rows = self.feed.rows(values)
        outputs = np.zeros(len(batch), self._shape.output)
        fired = np.zeros(len(batch), np.uint32)
        events: list[tuple[int, Event]] = []
        for group in self._groups(batch):
            before = [states.get(device, fresh) for device in group.devices]
            at = group.places
            programs, outputs[at], fired[at] = _run(group.running, [b.program for b in before], rows[at])
            steady = self._steady(outputs[at], fired[at], [b.watch for b in before])
            for k, (device, program) in enumerate(zip(group.devices, programs, strict=True)):
                watch = before[k].watch
                if self.explain is not None and not steady[k]:
                    said = self._said(device, at[k], batch, values, outputs[at[k]], fired[at[k]])
                    watch, found = edges(watch, said, self.explain)
                    if self.further is not None and found:
                        asks = Again(group.running, before[k].program, rows[at[k]], outputs[at[k]], self.feed)
                        places = np.searchsorted(at[k], [row for row, _ in found]).tolist()
                        found = [
                            (row, self.further(event, asks, place))
                            for (row, event), place in zip(found, places, strict=True)
                        ]
                    events += found
                after[device] = DeviceState(program, watch)
        events.sort(key=lambda item: item[0])
        score, alarm = self._column("score", outputs, fired, np.nan), self._column("alarm", outputs, fired, 0)
        return after, Scored(outputs, fired, score, alarm != 0, tuple(event for _, event in events))

    def warm(self) -> None:
        """Make ready what is made when it is first needed, for one device and for many; no answer changes."""
        width = len(self.feed.signals)
        for count in (1, _COMPANY):
            names = tuple(f"{k}" for k in range(count))
            signals = tuple(Signal(name) for name in self.feed.signals)
            rows = (
                np.zeros(count, np.int64),
                np.arange(count, dtype=np.int32),
                np.full((count, width), np.nan),
            )
            self.advance({}, Batch(names, signals, *rows))
            self.forget(names)

    def forget(self, devices: Sequence[str]) -> None:
        """Load these devices' programs anew when they are next needed: parameters changed, or they left."""
        for device in devices:
            self._loaded.pop(device, None)

    def _groups(self, batch: Batch) -> Iterator[_Group]:
        """Yield devices that can be run at once: the same program, ready, and as many rows."""
        order = np.argsort(batch.device, kind="stable")
        every = np.bincount(batch.device, minlength=len(batch.devices))
        used = np.flatnonzero(every)
        counts = every[used]
        starts = np.cumsum(counts) - counts
        for count in sorted(set(counts.tolist())):
            some = np.flatnonzero(counts == count)
            places = order[starts[some][:, None] + np.arange(count)]
            together: dict[int, list[int]] = {}
            devices = [batch.devices[int(k)] for k in used[some]]
            running = [self._running(device) for device in devices]
            for k, runs in enumerate(running):
                together.setdefault(id(runs) if hasattr(runs, "run_devices") else -1 - k, []).append(k)
            for members in together.values():
                yield _Group(running[members[0]], [devices[k] for k in members], places[members])

    def _running(self, device: str) -> Runs:
        running = self._loaded.get(device)
        if running is None:
            running = self._loaded[device] = self.load(device)
        return running

    def _steady(
        self, outputs: NDArray[Any], fired: NDArray[np.uint32], watches: Sequence[Watch]
    ) -> list[bool]:
        """Say of each device, of rows (D, n), whether they begin and end nothing: all is as it was."""
        steady = np.array([not any(w.faulty) for w in watches])
        going = {
            "alarm": [w.alarm_since_ns is not None for w in watches],
            "drift": [w.drift for w in watches],
            "fault": [False] * len(watches),
        }
        for name in going.keys() & self._shape.bits.keys():
            said = (outputs[name] != 0).reshape(*fired.shape, -1) != np.array(going[name])[:, None, None]
            steady &= ~(said & self._there(name, fired)[..., None]).any(axis=(1, 2))
        return steady.tolist()

    def _said(
        self,
        device: str,
        at: NDArray[np.intp],
        batch: Batch,
        values: NDArray[np.float64],
        outputs: NDArray[Any],
        fired: NDArray[np.uint32],
    ) -> Said:
        """Return the rows at which the program said whether there is an alarm."""
        there = self._there("alarm", fired)
        signals = values.shape[1]
        share = np.zeros((len(at), signals), np.float32)
        fault = np.zeros((len(at), signals), np.int32)
        names = outputs.dtype.names or ()
        if "share" in names:
            share[:] = outputs["share"].reshape(len(at), signals)
        if "fault" in names:
            fault[:] = outputs["fault"].reshape(len(at), signals)
        looks = np.zeros_like(fault)
        if "looks" in names:
            looks[:] = outputs["looks"].reshape(len(at), signals)
        lasting = outputs["lasting"].reshape(len(at), signals)[there] if "lasting" in names else None
        alarm = self._column("alarm", outputs, fired, 0)[there] != 0
        score = self._column("score", outputs, fired, np.nan)[there]
        drift = np.where(self._there("drift", fired), self._column("drift", outputs, fired, 0), np.nan)[there]
        at = at[there]
        time_ns, share, fault, looks = batch.time_ns[at], share[there], fault[there], looks[there]
        return Said(device, at, time_ns, values[at], score, alarm, share, fault, looks, drift, lasting)

    def _there(self, name: str, fired: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Return the rows at which an output was put out; none for one the program has not."""
        bit = self._shape.bits.get(name)
        if bit is None:
            return np.zeros(len(fired), bool)
        return (fired >> np.uint32(bit)) & 1 != 0

    def _column(
        self, name: str, outputs: NDArray[Any], fired: NDArray[np.uint32], otherwise: float
    ) -> NDArray[np.float64]:
        column = np.full(len(outputs), otherwise, np.float64)
        there = self._there(name, fired)
        if there.any():
            column[there] = outputs[name][there]
        return column


def _run(
    running: Runs, states: list[bytes], rows: NDArray[Any]
) -> tuple[list[bytes], NDArray[Any], NDArray[np.uint32]]:
    """Run devices with rows (D, n); one device alone goes the plain way."""
    if len(states) == 1:
        after, outputs, fired = running.run(states[0], rows[0])
        return [after], outputs[None], fired[None]
    given = np.frombuffer(b"".join(states), np.uint8).reshape(len(states), -1)
    bytes_after, outputs, fired = cast("RunsMany", running).run_devices(given, rows)
    return [row.tobytes() for row in bytes_after], outputs, fired
