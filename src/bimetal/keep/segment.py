"""Segments: readings kept in a folder, safe before they are acknowledged, sealed into Parquet.

append -> journal (durable) -> tail -> seal -> shelf: segment files + catalog -> join small ones
                                 \\                  /
                               read, picture, batch, held
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from bimetal.keep.asked import EARLIEST_NS, LATEST_NS, Asked
from bimetal.keep.batch_bytes import check_names
from bimetal.keep.catalog import Catalog, Held, Sealed, together
from bimetal.keep.compact import MOST_READINGS
from bimetal.keep.disk import hold, make_folder, remove_durably
from bimetal.keep.picture import draw
from bimetal.keep.place import open_place, place_of
from bimetal.keep.rows import Rows, held_in, join, no_rows, pivot, tidy, within
from bimetal.keep.rule import Rule
from bimetal.keep.shelf import PUT, Removed, Shelf
from bimetal.keep.tail import Arrived, Recovery, Tail
from bimetal.nouns.batch import Batch
from bimetal.nouns.errors import BadInput, Error
from bimetal.nouns.reading import Quality
from bimetal.nouns.signal import Signal

_PATIENCE = 4
"""When sealing fails, this many times the usual amount may wait in the journal before appending stops."""
_WAIT_S = 10.0
"""So long an append waits for sealing that is behind."""
_JOURNAL_BYTES = 64 << 20
"""Sealing is due as well when the journal is this long: small batches take room and time to read."""


@dataclass(frozen=True, slots=True)
class Column:
    """One series: times in nanoseconds since 1970 UTC, ascending, with values and qualities."""

    time_ns: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]


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
        make_folder(folder)
        self._seal_readings = seal_readings
        self._grace = 1
        self._state = Lock()
        self._joining = Lock()
        self._upkeep = Lock()
        self._hold = hold(folder)
        self._catalog: Catalog | None = None
        try:
            self._catalog, store = open_place(place_of(folder))
            self._shelf = Shelf(store, self._book)
            self._reached = sealed = self._book.sealed() or 0
            self._tail = Tail(folder / "journal", sealed, repair=repair)
            remove_durably(self._tail.forget(sealed, self._book.pinned()))
            self._signals = self._book.signals() | {s.name: s for s in self._tail.recovery.signals}
        except BaseException:
            self._let_go()
            raise

    @property
    def recovery(self) -> Recovery:
        """What opening the folder found."""
        return self._tail.recovery

    @property
    def shared(self) -> bool:
        """Whether other folders keep their readings in the same segments."""
        return bool(self._book.writer)

    @property
    def unsealed(self) -> int:
        """How many readings lie in the journal and no segment yet."""
        return self._tail.readings

    @property
    def sequence(self) -> int:
        """The sequence number of the last batch."""
        return self._tail.sequence

    def append(self, batch: Batch, quality: Quality = Quality.GOOD, *, arrived_ns: int | None = None) -> int:
        """Keep a batch; returns its sequence number once a power cut could not lose it.

        `arrived_ns` is when it arrived, for `replay`; without it, that is taken to be its latest time.

        Seals when much waits, unless somebody is at it (see `tend`). Raises BadInput for names that
        cannot be kept or a unit that changed, Unsupported when the disk is full, NotAllowed when it
        cannot be written; then nothing of the batch is kept.
        """
        check_names(batch)
        with self._state:
            if (
                self._tail.readings >= _PATIENCE * self._seal_readings
                or self._tail.bytes >= _PATIENCE * _JOURNAL_BYTES
            ):
                raise BadInput(
                    "readings cannot be sealed, and too many wait",
                    where=str(self.folder),
                    hint="Call seal to see why",
                )
            self._learn(batch.signals)
            sequence = self._tail.append(batch, quality, arrived_ns)
        if self._due(self._grace) and self._upkeep.acquire(
            timeout=_WAIT_S if self._due(_PATIENCE / 2) else 0
        ):
            try:
                self._seal()
            except Error:
                # The batch itself is safe; sealing is tried again when more has come.
                self._grace += 1
            finally:
                self._upkeep.release()
        return sequence

    def seal(self) -> Sealed | None:
        """Turn the journal into a segment; returns it, or None when there was nothing to seal."""
        with self._upkeep:
            return self._seal()

    def tend(self, most_readings: int = MOST_READINGS) -> bool:
        """Do one bounded piece of upkeep, for a thread that has time: seal, or join small segments.

        `most_readings` is the most that are moved. Returns whether anything was to be done.
        """
        with self._joining:
            if self._seal_if(0.5):
                return True
            moved = self._shelf.join(most_readings, self._meaning, self._upkeep, lambda: self._seal_if(0.5))
            return moved > 0

    def read(
        self, device: str, signal: str, since_ns: int = EARLIEST_NS, until_ns: int = LATEST_NS
    ) -> Column:
        """Return one series with since <= time < until; empty when nothing is kept."""
        return _column(self._rows(Asked((device,), (signal,), since_ns, until_ns)))

    def picture(
        self,
        device: str,
        signal: str,
        since_ns: int = EARLIEST_NS,
        until_ns: int = LATEST_NS,
        stretches: int = 1000,
    ) -> Column:
        """Return what is needed to draw one series: see Picture. Memory does not grow with the series."""
        asked = Asked((device,), (signal,), since_ns, until_ns)
        waiting = self._unsealed(asked)
        with closing(self._shelf.open(asked)) as opened:
            fresh = tidy(join([no_rows(), *(rows for last, rows in waiting if last > opened.sealed)]))
            return _column(draw(opened, fresh, asked, stretches))

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
        rows = self._rows(asked)
        names = sorted({signal for _, signal in rows.series}) if signals is None else signals
        return pivot(rows, [self._meaning(name) for name in names])

    def held(self) -> tuple[Held, ...]:
        """Return every series that is kept, by device and signal; rows count readings that arrived."""
        waiting = self._unsealed(Asked())
        sealed, held = self._book.held()
        fresh = tidy(join([no_rows(), *(rows for last, rows in waiting if last > sealed)]))
        return together([*held, *held_in(fresh)])

    def remove(self, rules: Sequence[Rule]) -> Removed:
        """Remove readings from journals and segments; files that held them are rewritten and unlinked."""
        with self._joining, self._upkeep:
            with self._state:
                waiting = self._tail.remove(rules)
            sealed = self._shelf.remove(rules, self._meaning)
            with self._state:
                still = {s for p in self._tail.parts() for _, s in p.rows.series}
                waiting_for = {name: s for name, s in self._signals.items() if name in still}
            with self._book.alone(PUT):
                self._book.forget_signals(still)
            with self._state:
                self._signals = self._book.signals() | waiting_for
            return Removed(waiting + sealed.readings, sealed.segments)

    def pin(self, after: int) -> None:
        """Keep, from now on, the journal after this batch for `replay`, even when it is sealed."""
        with self._state:
            self._book.pin(after)
            remove_durably(self._tail.forget(self._reached, after))

    def replay(self, after: int) -> Iterator[Arrived]:
        """Yield batches as they arrived, those after a sequence number.

        Raises NotFound when they are no longer there in that form (see `pin`).
        """
        with self._state:
            return iter(list(self._tail.replay(after)))

    def begin_erasing(self, device: str) -> None:
        """Remember that a device is being erased by all who share the segments, whatever happens."""
        self._book.begin_erasing(device)

    def end_erasing(self, device: str) -> None:
        """Note that a device's erasure is done here."""
        self._book.end_erasing(device)

    def erasing(self) -> tuple[str, ...]:
        """Return the devices whose erasure was begun and is not finished here."""
        return self._book.owed()

    def owing(self, device: str) -> tuple[str, ...]:
        """Return the names of those who have yet to finish the erasure of a device."""
        return self._book.owing(device)

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

    def _due(self, share: float) -> bool:
        """Whether this share of what is usually sealed waits, or more."""
        return (
            self._tail.readings >= share * self._seal_readings or self._tail.bytes >= share * _JOURNAL_BYTES
        )

    def _seal_if(self, share: float) -> bool:
        due = self._due(share)
        if due:
            self.seal()
        return due

    def _seal(self) -> Sealed | None:
        # A commit of which no answer came may have been one: what it holds is not sealed again.
        reached = self._book.sealed() or 0
        with self._state:
            parts = self._tail.cut()
        if not parts:
            return None
        fresh = [p for p in parts if p.last > reached]
        sealed = None
        if fresh:
            rows = tidy(join([no_rows(), *(p.rows for p in fresh)]))
            self._teach({name for _, name in rows.series})
            sealed = self._shelf.add(rows, fresh[0].first, fresh[-1].last, self._meaning)
        with self._state:
            self._reached = parts[-1].last
            gone = self._tail.forget(self._reached, self._book.pinned())
            self._grace = 1
        remove_durably(gone)
        return sealed

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
            self._signals.update((s.name, s) for s in fresh)

    def _teach(self, names: set[str]) -> None:
        """Note in the catalog what signals mean; one that others have in another unit keeps their meaning."""
        known = self._book.signals()
        with self._state:
            for name in names & known.keys():
                if known[name].unit and known[name].unit != self._meaning(name).unit:
                    self._signals[name] = known[name]
        self._book.learn(self._meaning(name) for name in sorted(names))

    def _meaning(self, name: str) -> Signal:
        return self._signals.get(name) or Signal(name)

    def _unsealed(self, asked: Asked) -> list[tuple[int, Rows]]:
        with self._state:
            parts = self._tail.parts()
        return [(p.last, within(p.rows, asked)) for p in parts]

    def _rows(self, asked: Asked) -> Rows:
        """Return what is asked for, tidy; what is sealed between the two looks is seen twice, not never."""
        waiting = self._unsealed(asked)
        with closing(self._shelf.open(asked)) as opened:
            parts = opened.rows(asked.since_ns, asked.until_ns)
            fresh = [rows for last, rows in waiting if last > opened.sealed]
        return tidy(join([no_rows(), *parts, *fresh]))


def _column(rows: Rows) -> Column:
    return Column(rows.time_ns, rows.value, rows.quality)
