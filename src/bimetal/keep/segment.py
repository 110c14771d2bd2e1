"""Segments: readings kept in a folder, safe before they are acknowledged, sealed into Parquet.

append -> journal (durable) -> tail -> seal -> segment file + catalog
                                 \\                  /
                                  read, batch, held
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from bimetal.keep.arrow import Table, pa
from bimetal.keep.asked import EARLIEST_NS, LATEST_NS, Asked
from bimetal.keep.catalog import Catalog, Held, Sealed
from bimetal.keep.disk import hold, make_folder, remove_durably, sweep_unfinished
from bimetal.keep.reading_table import LONG, check_names, doomed, long_of, pivot, tidy, times
from bimetal.keep.rule import Rule
from bimetal.keep.segment_file import adopt_segment, held_in, read_segment, span_of, write_segment
from bimetal.keep.tail import Recovery, Tail
from bimetal.nouns.batch import Batch
from bimetal.nouns.errors import BadInput, Error, NotFound
from bimetal.nouns.reading import Quality
from bimetal.nouns.signal import Signal

_PATIENCE = 4
"""When sealing fails, this many times the usual amount may wait in the journal before appending stops."""


@dataclass(frozen=True, slots=True)
class Column:
    """One series: times in nanoseconds since 1970 UTC, ascending, with values and qualities."""

    time_ns: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Removed:
    """How many readings went, from how many segments."""

    readings: int
    segments: int


class Segments:
    """Readings kept in a folder, by one process at a time; its threads may share it.

    Of readings with the same device, signal and time, the last to arrive stays. Missing values
    (NaN) are not kept. After a crash or kill, every batch whose `append` returned is there.

    Raises BadInput when another process holds the folder, or a file in it was damaged (with
    `repair`, what can be read is kept and a damaged journal set aside); Unsupported when a newer
    bimetal wrote it.
    """

    def __init__(self, folder: Path, *, repair: bool = False, seal_readings: int = 1_000_000) -> None:
        self.folder = folder
        self._files = folder / "segments"
        make_folder(self._files)
        self._seal_readings = self._seal_next = seal_readings
        self._state = Lock()
        self._upkeep = Lock()
        self._hold = hold(folder)
        self._catalog: Catalog | None = None
        try:
            sweep_unfinished(self._files)
            self._catalog = Catalog(folder / "catalog.sqlite")
            self._match_files()
            self._tail = Tail(folder / "journal", self._book.fact("sealed") or 0, repair=repair)
            self._tail.forget(self._book.fact("sealed") or 0, self._book.fact("pinned"))
            self._signals = self._book.signals()
        except BaseException:
            self._let_go()
            raise

    @property
    def recovery(self) -> Recovery:
        """What opening the folder found."""
        return self._tail.recovery

    @property
    def unsealed(self) -> int:
        """How many readings lie in the journal and no segment yet."""
        return self._tail.readings

    @property
    def sequence(self) -> int:
        """The sequence number of the last batch."""
        return self._tail.sequence

    def append(self, batch: Batch, quality: Quality = Quality.GOOD) -> int:
        """Keep a batch; returns its sequence number once a power cut could not lose it.

        Raises BadInput for names that cannot be kept or a unit that changed, Unsupported when the
        disk is full, NotAllowed when it cannot be written; then nothing of the batch is kept.
        """
        check_names(batch)
        with self._state:
            if self._tail.readings >= _PATIENCE * self._seal_readings:
                raise BadInput(
                    "readings cannot be sealed, and too many wait",
                    where=str(self.folder),
                    hint="Call seal to see why",
                )
            self._learn(batch.signals)
            sequence = self._tail.append(batch, quality)
        if self._tail.readings >= self._seal_next:
            try:
                self.seal()
            except Error:
                # The batch itself is safe; sealing is tried again when more has come.
                self._seal_next += self._seal_readings
        return sequence

    def seal(self) -> Sealed | None:
        """Turn the journal into a segment; returns it, or None when there was nothing to seal."""
        with self._upkeep:
            with self._state:
                kept = list(self._tail.kept)
                self._tail.rotate()
            if not kept:
                return None
            table = tidy(long_of([(k.batch, k.quality) for k in kept]))
            span = (kept[0].sequence, kept[-1].sequence, 0)
            new = [write_segment(self._files, table, self._meant(table), span)] if len(table) else []
            with self._state:
                self._book.replace((), new, sealed=span[1])
                self._tail.forget(span[1], self._book.fact("pinned"))
                self._seal_next = self._seal_readings
            return new[0][0] if new else None

    def read(
        self, device: str, signal: str, since_ns: int = EARLIEST_NS, until_ns: int = LATEST_NS
    ) -> Column:
        """Return one series with since <= time < until; empty when nothing is kept."""
        table = self._table(Asked((device,), (signal,), since_ns, until_ns))
        return Column(times(table), table.column("value").to_numpy(), table.column("quality").to_numpy())

    def batch(
        self,
        devices: Sequence[str] | None = None,
        signals: Sequence[str] | None = None,
        since_ns: int = EARLIEST_NS,
        until_ns: int = LATEST_NS,
    ) -> Batch:
        """Return kept readings as one batch ordered by device and time, since <= time < until."""
        asked = Asked(
            None if devices is None else tuple(devices),
            None if signals is None else tuple(signals),
            since_ns,
            until_ns,
        )
        table = self._table(asked)
        return pivot(table, self._meant(table) if signals is None else [self._meaning(s) for s in signals])

    def held(self) -> tuple[Held, ...]:
        """Return every series that is kept, by device and signal; rows count readings that arrived."""
        with self._state:
            found = [*self._book.held(), *held_in(tidy(self._unsealed(Asked())))]
        series: dict[tuple[str, str], Held] = {}
        for h in found:
            old = series.get((h.device, h.signal), h)
            rows = h.rows + (old.rows if old is not h else 0)
            span = min(old.first_ns, h.first_ns), max(old.last_ns, h.last_ns)
            series[h.device, h.signal] = Held(h.device, h.signal, rows, *span)
        return tuple(series[key] for key in sorted(series))

    def remove(self, rules: Sequence[Rule]) -> Removed:
        """Remove readings from journals and segments; files that held them are rewritten and unlinked."""
        with self._upkeep:
            with self._state:
                readings = self._tail.remove(rules)
            rewritten = 0
            for sealed in self._book.segments():
                held = self._book.held(sealed.name)
                if any(rule.touches(h.device, h.signal, h.first_ns) for rule in rules for h in held):
                    readings += self._slim(sealed, rules)
                    rewritten += 1
            self._book.forget_signals(s.name for k in self._tail.kept for s in k.batch.signals)
            self._signals = self._book.signals()
            return Removed(readings, rewritten)

    def pin(self, after: int) -> None:
        """Keep, from now on, the journal after this batch for `replay`, even when it is sealed."""
        with self._state:
            self._book.note("pinned", after)
            self._tail.forget(self._book.fact("sealed") or 0, after)

    def replay(self, after: int) -> Iterator[tuple[int, Batch]]:
        """Yield batches with their sequence numbers as they arrived, those after a number.

        Raises NotFound when they are no longer there in that form (see `pin`).
        """
        with self._state:
            return iter(list(self._tail.replay(after)))

    def begin_erasing(self, device: str) -> None:
        """Remember that a device is being erased, whatever happens meanwhile."""
        self._book.begin_erasing(device)

    def end_erasing(self, device: str) -> None:
        """Note that a device's erasure is done."""
        self._book.end_erasing(device)

    def erasing(self) -> tuple[str, ...]:
        """Return the devices whose erasure was begun and not finished."""
        return self._book.erasing()

    def close(self) -> None:
        """Let go of the folder; nothing is sealed or lost by it."""
        self._tail.close()
        self._let_go()

    @property
    def _book(self) -> Catalog:
        if self._catalog is None:
            raise BadInput("these segments were closed", where=str(self.folder))
        return self._catalog

    def _let_go(self) -> None:
        if self._catalog is not None:
            self._catalog.close()
            self._catalog = None
        if self._hold >= 0:
            os.close(self._hold)
            self._hold = -1

    def _match_files(self) -> None:
        """Adopt the segments when the catalog is new; else remove files it does not list."""
        there = {p: s for p in self._files.iterdir() if (s := span_of(p)) is not None}
        if self._book.fact("sealed") is not None:
            listed = {s.name for s in self._book.segments()}
            remove_durably([p for p in there if p.name not in listed])
            return
        newest = {(s[0], s[1]): p for p, s in sorted(there.items(), key=lambda item: item[1])}
        adopted = [adopt_segment(path) for path in newest.values()]
        self._book.learn(s for _, _, signals in adopted for s in signals)
        last = max((sealed.last for sealed, _, _ in adopted), default=0)
        self._book.replace((), [(sealed, held) for sealed, held, _ in adopted], sealed=last)
        remove_durably([p for p in there if p not in newest.values()])

    def _learn(self, signals: Sequence[Signal]) -> None:
        fresh = [s for s in signals if self._signals.get(s.name) != s]
        for s in fresh:
            known = self._signals.get(s.name)
            if known is not None and known.unit and s.unit and known.unit != s.unit:
                raise BadInput(
                    f"{s.name} has been kept in {known.unit} and now comes in {s.unit}",
                    where=str(self.folder),
                    hint="Give the signal another name, or convert it",
                )
        if fresh:
            self._book.learn(fresh)
            self._signals.update((s.name, s) for s in fresh)

    def _meaning(self, name: str) -> Signal:
        return self._signals.get(name) or Signal(name)

    def _meant(self, table: Table) -> list[Signal]:
        return [self._meaning(name) for name in sorted(table.column("signal").unique().to_pylist())]

    def _unsealed(self, asked: Asked) -> Table:
        return long_of([(asked.of(k.batch), k.quality) for k in self._tail.kept])

    def _table(self, asked: Asked) -> Table:
        while True:
            with self._state:
                book = self._book
                segments = book.segments()
                wanted = [(s, book.held(s.name)) for s in segments if book.may_hold(s.name, asked)]
                tail = self._unsealed(asked)
            try:
                parts = [read_segment(self._files, s, held, asked) for s, held in wanted]
                return tidy(pa.concat_tables([*parts, tail]).cast(LONG))
            except NotFound:
                # Rewritten while we read: look again. Gone although the catalog lists it: say so.
                if book.segments() == segments:
                    raise

    def _slim(self, sealed: Sealed, rules: Sequence[Rule]) -> int:
        table = read_segment(self._files, sealed, self._book.held(sealed.name), Asked())
        gone = doomed(table, rules)
        left = table.filter(pa.array(~gone))
        span = (sealed.first, sealed.last, sealed.generation + 1)
        new = [write_segment(self._files, left, self._meant(left), span)] if len(left) else []
        with self._state:
            self._book.replace([sealed.name], new)
        remove_durably([self._files / sealed.name])
        return int(gone.sum())
