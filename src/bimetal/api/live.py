"""Live: the newest stretch of everything, in memory, for whoever is looking."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bimetal.api.alarm import Alarm, AlarmList
from bimetal.api.frame import Block, Content, encode
from bimetal.api.history import STRETCHES, blocks_of
from bimetal.api.ring import Ring
from bimetal.api.view import Counters, ModelView, PlantView, Stage, StageView
from bimetal.nouns.batch import Batch, those_named
from bimetal.nouns.device import Device
from bimetal.nouns.errors import BadInput, NotFound
from bimetal.nouns.event import Event, Kind
from bimetal.nouns.signal import Signal
from bimetal.stream.commit import Commits
from bimetal.stream.headroom import Headroom

Rows = tuple[NDArray[np.int64], NDArray[np.float64]]
_NS_PER_DAY = 86_400 * 10**9
_SCORE = (Signal("score"),)


@dataclass(frozen=True, slots=True)
class Mark:
    """How much a listener has been told: of which plant, up to which row of each device."""

    plant: int = 0
    readings: tuple[int, ...] = ()
    scores: tuple[int, ...] = ()


class Live:
    """The newest readings, scores and alarms of one plant, and what is known of its model.

    Everything is fed from the event loop that serves the page; nothing here waits, and
    it must not be called from other threads. `window_s` is the length of history in the
    plant's own time, `rows` the most rows held of one device, `alarms` the most alarms.
    `acknowledged` is called with the event whenever somebody acknowledges an alarm.
    """

    def __init__(
        self,
        *,
        window_s: float = 180.0,
        rows: int = 4096,
        alarms: int = 200,
        acknowledged: Callable[[Event], None] | None = None,
    ) -> None:
        if not window_s > 0 or rows < 1 or alarms < 1:
            raise BadInput(f"a live view needs some room, not {window_s} s, {rows} rows, {alarms} alarms")
        self.window_s = window_s
        self.plant = PlantView()
        self.model: ModelView | None = None
        self.stage = StageView()
        self.counters = Counters()
        self.headroom: Headroom | None = None
        self.commits = Commits()
        self.headroom_revision = 0
        self.alarms = AlarmList(alarms)
        self.revision = 1
        self.plant_revision = self.stage_revision = self.model_revision = 1
        self._rows = rows
        self._acknowledged = acknowledged
        self._at: dict[str, int] = {}
        self._readings: list[Ring] = []
        self._scores: list[Ring] = []

    def set_plant(self, title: str, devices: Sequence[Device | str], signals: Sequence[Signal]) -> None:
        """Say which machines and signals there are; what was held before is forgotten.

        Raises BadInput when two devices or two signals have the same name.
        """
        known = tuple(Device(d) if isinstance(d, str) else d for d in devices)
        self.plant = PlantView(title, known, tuple(signals))
        self._at = {d.id: i for i, d in enumerate(known)}
        self._readings = [Ring(self._rows, len(signals)) for _ in known]
        self._scores = [Ring(self._rows, 1) for _ in known]
        self.alarms.forget_all()
        self.plant_revision = self._touch()

    def widen(self, title: str, devices: Sequence[str], signals: Sequence[Signal]) -> None:
        """Show devices and signals beside those there are; what is held of those stays.

        Raises BadInput when a signal of that name has another unit.
        """
        known = {d.id for d in self.plant.devices}
        units = {s.name: s for s in self.plant.signals}
        new = [Device(d) for d in devices if d not in known]
        for signal in signals:
            if units.setdefault(signal.name, signal).unit != signal.unit:
                raise BadInput(f"{signal.name} comes in two units", where=title)
        wide = tuple(units.values())
        if not new and wide == self.plant.signals:
            return
        for ring in self._readings:
            ring.widen(len(wide))
        self.plant = PlantView(title, (*self.plant.devices, *new), wide)
        self._at = {d.id: i for i, d in enumerate(self.plant.devices)}
        self._readings += [Ring(self._rows, len(wide)) for _ in new]
        self._scores += [Ring(self._rows, 1) for _ in new]
        self.plant_revision = self._touch()

    def forget(self, device: str) -> None:
        """Show a device no longer; nothing is held of it."""
        if device not in self._at:
            return
        at = self._at[device]
        del self._readings[at], self._scores[at]
        rest = tuple(d for d in self.plant.devices if d.id != device)
        self.plant = PlantView(self.plant.title, rest, self.plant.signals)
        self._at = {d.id: i for i, d in enumerate(rest)}
        self.alarms.forget(device)
        self.plant_revision = self._touch()

    def forget_before(self, oldest_ns: int) -> None:
        """Show no longer what is older: devices that have been silent since, and alarms."""
        for ring, device in zip(tuple(self._readings), self.plant.devices, strict=True):
            if ring.newest_ns is not None and ring.newest_ns < oldest_ns:
                self.forget(device.id)
        self.alarms.forget_before(oldest_ns)

    def set_model(self, card: ModelView | None) -> None:
        """Show this model's card and the usual ranges it learned."""
        self.model = card
        self.model_revision = self._touch()

    def set_stage(self, stage: Stage | str, progress: float = 0.0, words: str = "") -> None:
        """Say how far the plant has come: listening, learning or watching, `progress` from 0 to 1."""
        try:
            self.stage = StageView(Stage(stage), min(max(float(progress), 0.0), 1.0), words)
        except ValueError:
            raise BadInput(f"there is no stage {stage!r}", hint=f"Use one of {', '.join(Stage)}") from None
        self.stage_revision = self._touch()

    def set_counters(
        self,
        *,
        faults_injected: int | None = None,
        faults_found: int | None = None,
        false_alarms: int | None = None,
        p99_ms: float | None = None,
    ) -> None:
        """Say what only the feeder can know; what is left out stays as it was."""
        told = {
            "faults_injected": faults_injected,
            "faults_found": faults_found,
            "false_alarms": false_alarms,
            "p99_ms": p99_ms,
        }
        self.counters = replace(self.counters, **{k: v for k, v in told.items() if v is not None})

    def set_headroom(self, headroom: Headroom | None) -> None:
        """Show how far the server is from its limits."""
        self.headroom = headroom
        self.headroom_revision = self._touch()

    def add_batch(self, batch: Batch) -> None:
        """Take readings in; signals are matched by name, rows older than the newest held are left out.

        Raises NotFound for a device or signal that `set_plant` did not name.
        """
        column_of = {s.name: i for i, s in enumerate(self.plant.signals)}
        unknown = [s.name for s in batch.signals if s.name not in column_of]
        if unknown:
            raise NotFound(f"the plant has no signal {unknown[0]!a}", where=self.plant.title)
        columns = [column_of[s.name] for s in batch.signals]
        names, device = those_named(batch.devices, batch.device)
        rings = [self._readings[self._index(name)] for name in names]
        for number, ring in enumerate(rings):
            rows = np.flatnonzero(device == number)
            values = np.full((len(rows), len(self.plant.signals)), np.nan)
            values[:, columns] = batch.values[rows]
            self.counters.late += ring.append(batch.time_ns[rows], values)
        self.counters.readings += batch.readings

    def add_scores(self, device: str, time_ns: ArrayLike, score: ArrayLike) -> None:
        """Take scores of one device in, (n,) times and (n,) scores; 1.0 is the alarm threshold.

        Raises NotFound for an unknown device, BadInput when the lengths differ.
        """
        times = np.atleast_1d(np.asarray(time_ns, np.int64))
        scores = np.atleast_1d(np.asarray(score, np.float64))
        if times.ndim != 1 or times.shape != scores.shape:
            raise BadInput(f"{times.shape} times cannot go with {scores.shape} scores", where=device)
        ring = self._scores[self._index(device)]
        before = ring.newest_ns
        self.counters.late += ring.append(times, scores[:, None])
        self.counters.scored += len(times)
        after = ring.newest_ns
        if self.stage.stage is Stage.WATCHING and before is not None and after is not None:
            self.counters.watched_device_days += (after - before) / _NS_PER_DAY

    def add_scored(self, batch: Batch, score: NDArray[np.float64]) -> None:
        """Take the scores (n,) of a batch's rows in. Raises as `add_scores` does."""
        indices: set[int] = set(batch.device.tolist())
        for index in indices:
            rows = batch.rows_of(index)
            self.add_scores(batch.devices[index], batch.time_ns[rows], score[rows])

    def add_event(self, event: Event) -> int | None:
        """Take an event in and return the id of the alarm it belongs to, None when it closes nothing.

        Raises NotFound for an unknown device.
        """
        self._index(event.device)
        changed = self.alarms.take(event, self._touch())
        if event.kind is Kind.ALARM and changed and changed[0].event is event:
            self.counters.alarms += changed[0].fresh
        return changed[0].id if changed else None

    def acknowledge(self, number: int) -> Alarm:
        """Mark an alarm as seen by somebody. Raises NotFound."""
        alarm = self.alarms.acknowledge(number, self._touch())
        if self._acknowledged is not None:
            self._acknowledged(alarm.event)
        return alarm

    def mark(self) -> Mark:
        """Return the mark of somebody who has been told everything."""
        return Mark(
            self.plant_revision,
            tuple(r.written for r in self._readings),
            tuple(r.written for r in self._scores),
        )

    def frame_after(self, mark: Mark, sequence: int) -> bytes | None:
        """Return one frame with everything after `mark`, None when there is nothing new."""
        blocks = list(self._blocks_after(mark))
        return encode(blocks, sequence) if blocks else None

    def detail(self, device: str, stretches: int) -> bytes:
        """Return a frame that replaces what a listener holds of one device, drawn finer. Raises NotFound."""
        at = self._index(device)
        fine = min(max(stretches, 1), 2000)
        readings = self._within(self._readings[at].after_mark(0))
        scores = self._within(self._scores[at].after_mark(0))
        blocks = [
            *blocks_of(Content.READINGS, at, readings, self.plant.signals, stretches=fine, replace=True),
            *blocks_of(Content.SCORES, at, scores, _SCORE, stretches=fine, replace=True),
        ]
        return encode(blocks, 0)

    def readings_after(self, device: str, time_ns: int | None, most: int) -> tuple[Rows, bool]:
        """Return the oldest `most` rows later than `time_ns` and whether there are more. Raises NotFound."""
        ring = self._readings[self._index(device)]
        times, values = ring.after_mark(0) if time_ns is None else ring.after_time(time_ns)
        return (times[:most], values[:most]), len(times) > most

    def newest_of(self, device: str) -> tuple[int | None, float | None]:
        """Return when a device last spoke and its last score, None where there is none. Raises NotFound."""
        at = self._index(device)
        _, score = self._scores[at].after_mark(self._scores[at].written - 1)
        return self._readings[at].newest_ns, float(score[-1, 0]) if len(score) else None

    def _blocks_after(self, mark: Mark) -> Iterator[Block]:
        same = mark.plant == self.plant_revision
        rings = (
            (Content.READINGS, self._readings, mark.readings, self.plant.signals),
            (Content.SCORES, self._scores, mark.scores, _SCORE),
        )
        for content, of_kind, seen, signals in rings:
            for at, ring in enumerate(of_kind):
                told = seen[at] if same else 0
                if ring.written > told:
                    rows = self._within(ring.after_mark(told))
                    yield from blocks_of(content, at, rows, signals, stretches=STRETCHES)

    def _within(self, rows: Rows) -> Rows:
        times, values = rows
        oldest = times[-1:] - int(self.window_s * 1e9)
        kept = times >= (oldest if len(oldest) else 0)
        return times[kept], values[kept]

    def _index(self, device: str) -> int:
        try:
            return self._at[device]
        except KeyError:
            raise NotFound(
                f"the plant has no device {device!a}", hint="List them with GET /api/v1/devices"
            ) from None

    def _touch(self) -> int:
        self.revision += 1
        return self.revision
