"""Shelf: the sealed segments of a folder and their catalog, kept in step.

Files are put in place before the catalog names them, and unlinked after it no longer does; a file
that it does not name is nobody's and is swept away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from bimetal.keep.asked import Asked
from bimetal.keep.catalog import Catalog, Found, Held, Sealed
from bimetal.keep.compact import run_to_join
from bimetal.keep.disk import make_folder, remove_durably, sweep_unfinished
from bimetal.keep.merge import merge
from bimetal.keep.rows import Goes, Rows, Series, times_by_series
from bimetal.keep.rule import Rule, goes_by
from bimetal.keep.sealed_file import Opened, SealedFile, open_segments
from bimetal.keep.segment_file import Meaning, adopt_segment, group_for, span_of, write_segment

_Times = Mapping[Series, NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class Removed:
    """How many readings went, from how many segments."""

    readings: int
    segments: int


class Shelf:
    """The segments of one folder. One thread at a time changes it, any may read.

    Opening sweeps away what a power cut left, and adopts the segments when the catalog is new.
    """

    def __init__(self, folder: Path, book: Catalog) -> None:
        make_folder(folder)
        sweep_unfinished(folder)
        self.folder = folder
        self._book = book
        if book.fact("sealed") is None:
            self._adopt()
        else:
            self._sweep()

    def open(self, asked: Asked) -> Opened:
        """Open the segments in which readings that are asked for may lie; raises as `open_segments`."""
        return open_segments(self.folder, self._book, asked)

    def add(self, rows: Rows, first: int, last: int, meaning: Meaning) -> Sealed | None:
        """Put tidy rows in place as the segment of batches first..last, which corrects older ones.

        Returns the segment, None when there are no rows.
        """
        if not len(rows):
            self._book.replace((), (), sealed=last)
            return None
        times = times_by_series(rows)
        new = write_segment(self.folder, (rows,), meaning, (first, last, 0), group_for(len(rows), len(times)))
        assert new is not None
        corrected = self._corrected(new.held, first, times)
        self._put(corrected, (new,), meaning, last)
        return new.sealed

    def join(self, most_readings: int, meaning: Meaning, turn: Lock, between: Callable[[], object]) -> int:
        """Make one segment of some small ones; returns how many readings that moved, 0 for none.

        While it works others may `add`, and `between` is called now and then; only to put the new in
        place of the old it takes its `turn`. If what was added corrected the old ones, it was in vain.
        """
        run = run_to_join(self._book.segments(), most_readings)
        names = [s.name for s in run]
        old = self._book.whole(names)
        if not run or len(old) < len(run):
            return 0
        group = group_for(sum(s.rows for s in run), len({_of(h) for f in old for h in f.held}))
        parts = _interrupted(merge(self.folder, old), between)
        new = write_segment(self.folder, parts, meaning, (run[0].first, run[-1].last, 0), group)
        if new is None:
            return 0
        with turn:
            if {s.name for s in self._book.segments()}.issuperset(names):
                self._replace(old, [new])
                return new.sealed.rows
        remove_durably([self.folder / new.sealed.name])
        return 0

    def remove(self, rules: Sequence[Rule], meaning: Meaning) -> Removed:
        """Rewrite the segments that hold what must go, one after the other."""
        self._sweep()
        readings = rewritten = 0
        goes = goes_by(rules)
        for sealed in self._book.segments():
            for old in self._book.whole([sealed.name]):
                if any(rule.touches(h.device, h.signal, h.first_ns) for rule in rules for h in old.held):
                    readings += self._put([(old, goes)], (), meaning)
                    rewritten += 1
        return Removed(readings, rewritten)

    def _corrected(self, held: Sequence[Held], before: int, times: _Times) -> list[tuple[Found, Goes]]:
        """Find the segments before a batch that hold readings of these series at these times."""
        found: list[tuple[Found, Goes]] = []
        for part in self._book.overlapping(held, before):
            with closing(SealedFile(self.folder, part.sealed)) as file:
                hit = {series: times[series] for h in part.held if _shares(file, h, times[series := _of(h)])}
            if hit:
                (whole,) = self._book.whole([part.sealed.name])
                found.append((whole, _at(hit)))
        return found

    def _put(
        self,
        old: Sequence[tuple[Found, Goes]],
        new: Sequence[Found],
        meaning: Meaning,
        sealed: int | None = None,
    ) -> int:
        """Rewrite segments without what must go, and add new ones; returns how many readings went."""
        slim: list[Found] = []
        for found, goes in old:
            was = found.sealed
            span = (was.first, was.last, was.generation + 1)
            group = group_for(was.rows, len(found.held))
            left = write_segment(self.folder, merge(self.folder, [found], goes), meaning, span, group)
            slim += [left] if left else []
        self._replace([found for found, _ in old], [*new, *slim], sealed)
        return sum(f.sealed.rows for f, _ in old) - sum(f.sealed.rows for f in slim)

    def _replace(self, old: Sequence[Found], new: Sequence[Found], sealed: int | None = None) -> None:
        self._book.replace([f.sealed.name for f in old], new, sealed)
        remove_durably([self.folder / f.sealed.name for f in old])

    def _sweep(self) -> None:
        """Remove segments that the catalog does not name."""
        listed = {s.name for s in self._book.segments()}
        there = [p for p in self.folder.iterdir() if span_of(p) is not None]
        remove_durably([p for p in there if p.name not in listed])

    def _adopt(self) -> None:
        """Make the catalog anew from the files: of those with the same batches the widest and newest."""
        there = [(s, p) for p in self.folder.iterdir() if (s := span_of(p)) is not None]
        newest: list[Path] = []
        reached = 0
        for (_, last, _), path in sorted(there, key=lambda one: (one[0][0], -one[0][1], -one[0][2])):
            if last > reached:
                newest.append(path)
                reached = last
        adopted = [adopt_segment(path) for path in newest]
        self._book.learn(s for _, signals in adopted for s in signals)
        self._book.replace((), [found for found, _ in adopted], sealed=reached)
        self._sweep()


def _interrupted(parts: Iterator[Rows], between: Callable[[], object]) -> Iterator[Rows]:
    for part in parts:
        between()
        yield part


def _of(held: Held) -> Series:
    return held.device, held.signal


def _shares(file: SealedFile, held: Held, times: NDArray[np.int64]) -> bool:
    return any(bool(np.isin(part.time_ns, times).any()) for part in file.pieces(held))


def _at(times: _Times) -> Goes:
    def goes(series: Series, time_ns: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        return np.isin(time_ns, times[series]) if series in times else None

    return goes
