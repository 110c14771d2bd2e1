"""Shelf: the sealed segments and their catalog, kept in step.

Files are put in place before the catalog names them, and removed after it no longer does; a file
that it does not name is nobody's and is swept away. Where several writers share them, one at a time
puts (PUT) and one at a time joins or sweeps (JOIN): what was written under one is named under it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from bimetal.keep.asked import Asked
from bimetal.keep.catalog import Catalog, Found, Held, Sealed
from bimetal.keep.compact import run_to_join
from bimetal.keep.database import Busy
from bimetal.keep.disk import UNFINISHED
from bimetal.keep.merge import merge
from bimetal.keep.rows import Goes, Rows, Series, times_by_series
from bimetal.keep.rule import Rule, goes_by
from bimetal.keep.sealed_file import Opened, SealedFile, open_segments
from bimetal.keep.segment_file import (
    Meaning,
    adopt_segment,
    group_for,
    is_fine,
    name_of,
    needs_nanoseconds,
    span_of,
    write_segment,
)
from bimetal.keep.store import Folder, Store

PUT, JOIN = "put", "join"
LINGER_S = 60.0
"""So long others may go on reading a segment that was replaced, where it does not outlive its name."""
_Times = Mapping[Series, NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class Removed:
    """How many readings went, from how many segments."""

    readings: int
    segments: int


class Shelf:
    """The segments of a store. One thread at a time changes it, any may read.

    Opening sweeps away what a power cut left, and adopts the segments when the catalog is new.
    """

    def __init__(self, store: Store, book: Catalog, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._book = book
        self._clock = clock
        self._retired: list[tuple[float, list[str]]] = []
        if book.sealed() is not None:
            with suppress(Busy), book.alone(JOIN, 0.0), book.alone(PUT, 0.0):
                self._sweep()
        elif book.writer:
            book.replace((), (), sealed=0)
        else:
            self._adopt()

    def open(self, asked: Asked) -> Opened:
        """Open the segments in which readings that are asked for may lie; raises as `open_segments`."""
        return open_segments(self._store, self._book, asked)

    def add(self, rows: Rows, first: int, last: int, meaning: Meaning) -> Sealed | None:
        """Put tidy rows in place as the segment of batches first..last, which corrects older ones.

        Returns the segment, None when there are no rows.
        """
        if not len(rows):
            self._book.replace((), (), sealed=last)
            return None
        times = times_by_series(rows)
        with self._book.alone(PUT):
            place = self._book.place(first, last)
            fine = needs_nanoseconds(rows.time_ns)
            new = self._write((*place, 0), (rows,), meaning, group_for(len(rows), len(times)), fine)
            assert new is not None
            corrected = self._corrected(new.held, place[0], times)
            self._put(corrected, (new,), meaning, last)
        return new.sealed

    def join(self, most_readings: int, meaning: Meaning, turn: Lock, between: Callable[[], object]) -> int:
        """Make one segment of some small ones; returns how many readings that moved, 0 for none.

        While it works others may `add`, and `between` is called now and then; only to put the new in
        place of the old it takes its `turn`. If what was added corrected the old ones, it was in vain.
        """
        self._let_retired_go()
        with suppress(Busy), self._book.alone(JOIN, 0.0):
            return self._join(most_readings, meaning, turn, between)
        return 0

    def _join(self, most_readings: int, meaning: Meaning, turn: Lock, between: Callable[[], object]) -> int:
        run = run_to_join(self._book.segments(), most_readings)
        names = [s.name for s in run]
        old = self._book.whole(names)
        if not run or len(old) < len(run):
            return 0
        group = group_for(sum(s.rows for s in run), len({_of(h) for f in old for h in f.held}))
        parts = _interrupted(merge(self._store, old), between)
        new = self._write((run[0].first, run[-1].last, 0), parts, meaning, group, any(map(is_fine, names)))
        if new is None:
            return 0
        with turn, self._book.alone(PUT):
            if {s.name for s in self._book.segments()}.issuperset(names):
                self._replace(old, [new])
                return new.sealed.rows
        self._store.remove([new.sealed.name])
        return 0

    def remove(self, rules: Sequence[Rule], meaning: Meaning) -> Removed:
        """Rewrite the segments that hold what must go, one after the other."""
        readings = rewritten = 0
        goes = goes_by(rules)
        seen: set[str] = set()
        with self._book.alone(JOIN):
            # Others may put or correct some meanwhile: on until there are none that were not looked at.
            while fresh := [s.name for s in self._book.segments() if s.name not in seen]:
                seen.update(fresh)
                for name in fresh:
                    with self._book.alone(PUT):
                        for old in self._book.whole([name]):
                            if _touched(old, rules):
                                readings += self._put([(old, goes)], (), meaning)
                                rewritten += 1
            with self._book.alone(PUT):
                self._sweep()
        return Removed(readings, rewritten)

    def _corrected(self, held: Sequence[Held], before: int, times: _Times) -> list[tuple[Found, Goes]]:
        """Find the segments before a batch that hold readings of these series at these times."""
        found: list[tuple[Found, Goes]] = []
        for part in self._book.overlapping(held, before):
            with closing(SealedFile(self._store, part.sealed)) as file:
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
            left = self._write(span, merge(self._store, [found], goes), meaning, group, is_fine(was.name))
            slim += [left] if left else []
        self._replace([found for found, _ in old], [*new, *slim], sealed)
        return sum(f.sealed.rows for f, _ in old) - sum(f.sealed.rows for f in slim)

    def _replace(self, old: Sequence[Found], new: Sequence[Found], sealed: int | None = None) -> None:
        names = [f.sealed.name for f in old]
        self._book.replace(names, new, sealed)
        if self._book.writer:
            self._retired.append((self._clock(), names))
        else:
            self._store.remove(names)

    def _write(
        self, span: tuple[int, int, int], parts: Iterable[Rows], meaning: Meaning, group: int, fine: bool
    ) -> Found | None:
        # Two that write at once never write to one name, nor does one twice: what comes late hurts nobody.
        tag = secrets.token_hex(4) if self._book.writer else ""
        return write_segment(self._store, name_of(*span, tag, fine=fine), parts, meaning, group)

    def _let_retired_go(self) -> None:
        while self._retired and self._clock() - self._retired[0][0] > LINGER_S:
            self._store.remove(self._retired[0][1])
            del self._retired[0]

    def _sweep(self) -> None:
        """Remove segments that the catalog does not name, and what was never finished."""
        listed = {s.name for s in self._book.segments()}
        ours = [n for n in self._store.names() if span_of(n) is not None or n.startswith(UNFINISHED)]
        self._store.remove([name for name in ours if name not in listed])
        self._retired.clear()

    def _adopt(self) -> None:
        """Make the catalog anew from the files: of those with the same batches the widest and newest."""
        # Elsewhere than in a folder of one's own, segments without a catalog are refused: see place.py.
        paths = list(self._store.path.iterdir()) if isinstance(self._store, Folder) else []
        there = [(s, p) for p in paths if (s := span_of(p.name)) is not None]
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


def _touched(found: Found, rules: Sequence[Rule]) -> bool:
    return any(rule.touches(h.device, h.signal, h.first_ns) for rule in rules for h in found.held)


def _of(held: Held) -> Series:
    return held.device, held.signal


def _shares(file: SealedFile, held: Held, times: NDArray[np.int64]) -> bool:
    return any(bool(np.isin(part.time_ns, times).any()) for part in file.pieces(held))


def _at(times: _Times) -> Goes:
    def goes(series: Series, time_ns: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        return np.isin(time_ns, times[series]) if series in times else None

    return goes
