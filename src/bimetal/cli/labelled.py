"""Labelled: rows as a model scored them, beside what is known of them, device by device."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bimetal.cli.known import Known
from bimetal.learn.metric.blame import Blame
from bimetal.learn.metric.curve import margin_of
from bimetal.learn.metric.track import Track
from bimetal.nouns.errors import BadInput
from bimetal.spine import replay
from bimetal.stream.scorer import Scored, Scorer
from bimetal.wire.table.stretch import TableBatch

MOST_CELLS = 60_000_000
"""Values of all rows and signals that are held in memory at once, four bytes each."""


@dataclass(frozen=True, slots=True)
class DeviceRows:
    """n rows of one device: nanoseconds (n,), values (n, signals), and what was said and is known of them."""

    time_ns: NDArray[np.int64]
    values: NDArray[np.float32]
    track: Track


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything that is judged; `held_back` alarms were kept back by the budget; scoring took `seconds`."""

    devices: tuple[DeviceRows, ...]
    held_back: int
    seconds: float

    @property
    def tracks(self) -> list[Track]:
        """What is measured of each device."""
        return [device.track for device in self.devices]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(len(track) for track in self.tracks)


@dataclass(frozen=True, slots=True)
class Truths:
    """What is known beside the table: `events` in place of a label column, `causes` for blame alone."""

    events: Known | None = None
    causes: Known | None = None

    @property
    def blames(self) -> bool:
        """Whether it says which signals were at fault."""
        return any(t.signals for known in (self.events, self.causes) if known for t in known.troubles)

    def check(self, time_ns: Mapping[str, NDArray[np.int64]]) -> list[str]:
        """Return notes on events that lie outside of the data; raises BadInput for a device not there."""
        return [
            note
            for known in (self.events, self.causes)
            if known
            for note in known.check(list(time_ns), time_ns)
        ]


@dataclass(slots=True)
class _Parts:
    """What has come in of one device."""

    time_ns: list[NDArray[np.int64]] = field(default_factory=list[NDArray[np.int64]])
    labels: list[NDArray[np.int64]] = field(default_factory=list[NDArray[np.int64]])
    score: list[NDArray[np.float64]] = field(default_factory=list[NDArray[np.float64]])
    alarm: list[NDArray[np.bool_]] = field(default_factory=list[NDArray[np.bool_]])
    values: list[NDArray[np.float32]] = field(default_factory=list[NDArray[np.float32]])
    share: list[NDArray[np.float32]] = field(default_factory=list[NDArray[np.float32]])
    held_back: int = 0

    def add(self, rows: NDArray[np.intp], taken: TableBatch, scored: Scored, *, shares: bool) -> None:
        """Take some rows of a batch."""
        count, batch, outputs = len(rows), taken.batch, scored.outputs
        self.time_ns.append(batch.time_ns[rows])
        given = np.zeros(count, bool) if taken.labels is None else taken.labels[rows]
        self.labels.append(given.astype(np.int64))
        self.score.append(np.nan_to_num(scored.score[rows], nan=0.0))
        self.alarm.append(scored.alarm[rows])
        self.values.append(batch.values[rows].astype(np.float32))
        names = outputs.dtype.names or ()
        if shares and "share" in names:
            self.share.append(outputs["share"][rows].reshape(count, -1).astype(np.float32))
        if "held_back" in names:
            self.held_back = int(outputs["held_back"][rows[-1]])

    def whole(self, device: str, truth: Truths) -> DeviceRows:
        """Put the parts together, with the labels that are known."""
        time_ns, labels = np.concatenate(self.time_ns), np.concatenate(self.labels)
        blames: tuple[Blame, ...] = ()
        if truth.events is not None:
            labels, blames = truth.events.labels(device, time_ns)
        if truth.causes is not None:
            blames = truth.causes.labels(device, time_ns)[1]
        score, alarm = np.concatenate(self.score), np.concatenate(self.alarm)
        values = np.concatenate(self.values)
        share = np.concatenate(self.share) if self.share else None
        lasted_s = float(time_ns[-1] - time_ns[0]) / 1e9
        seconds = lasted_s * len(labels) / max(len(labels) - 1, 1)
        margin = margin_of(np.nan_to_num(values[:, 0]).astype(np.float64))
        track = Track(device, labels, score, alarm, seconds, margin, share, blames)
        return DeviceRows(time_ns, values, track)


def gather(scorer: Scorer, batches: Iterable[TableBatch], truth: Truths) -> Gathered:
    """Run rows through a model and keep what is needed to judge it.

    Raises BadInput when there are more values than can be held.
    """
    clock, cells = _Clock(), 0
    parts: dict[str, _Parts] = {}
    for taken, scored in replay(scorer, clock.leaving_out(batches)):
        cells += taken.batch.values.size
        if cells > MOST_CELLS:
            raise BadInput(
                f"there are more than {MOST_CELLS:,} values, too many to be judged at once",
                hint="Judge a part of the data",
            )
        for k in range(len(taken.batch.devices)):
            rows = taken.batch.rows_of(k)
            if not len(rows):
                continue
            parts.setdefault(taken.batch.devices[k], _Parts()).add(rows, taken, scored, shares=truth.blames)
    seconds = clock.seconds
    devices = tuple(p.whole(device, truth) for device, p in sorted(parts.items()))
    return Gathered(devices, sum(p.held_back for p in parts.values()), seconds)


@dataclass(slots=True)
class _Clock:
    """How long scoring takes, without the reading."""

    seconds: float = 0.0

    def leaving_out(self, batches: Iterable[TableBatch]) -> Iterator[TableBatch]:
        """Yield batches with rows in them, and time what is done until the next is asked for."""
        for batch in batches:
            if len(batch):
                begun = time.monotonic()
                yield batch
                self.seconds += time.monotonic() - begun
