"""Snapshot: all that a folder keeps as it is at one instant, read beside whoever writes it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bimetal.keep.asked import Asked
from bimetal.keep.batch_bytes import from_bytes
from bimetal.keep.journal import Record, read_journal
from bimetal.keep.place import check_begun, place_of, reading_catalog, store_of
from bimetal.keep.rows import Rows, join, no_rows, rows_of, tidy, times_by_series, within
from bimetal.keep.sealed_file import Opened, open_segments
from bimetal.nouns.errors import BadInput, NotFound
from bimetal.nouns.signal import Signal


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Readings of a folder: those of `opened` segments but for the `corrected`, and the `waiting`.

    `waiting` and `corrected` are tidy; devices that are being erased are in `erasing` and in neither.
    """

    opened: Opened
    waiting: Rows
    corrected: Rows
    erasing: tuple[str, ...]
    signals: tuple[Signal, ...]


@contextmanager
def look(folder: Path, asked: Asked) -> Generator[Snapshot, None, None]:
    """Look at what is kept in a folder, whether or not a process holds it; nothing is locked or written.

    Every reading that was acknowledged before is seen. Raises NotFound when nothing is kept there,
    BadInput when a journal was damaged or a segment is gone, Unsupported when a newer bimetal wrote it.
    """
    place = place_of(folder)
    check_begun(place)
    # The journal first: what is sealed between the two looks is then seen in the segment.
    records = _records(folder / "journal")
    with reading_catalog(place) as book:
        opened = open_segments(store_of(place), book, asked)
        erasing, signals = book.erasing(), book.signals()
    with closing(opened):
        batches = [from_bytes(r.content) for r in records if r.sequence > opened.sealed]
        signals |= {s.name: s for batch, _ in batches for s in batch.signals}
        waiting = tidy(within(rows_of(batches), asked))
        alive = np.array([d not in erasing for d, _ in waiting.series], bool)
        waiting = waiting.part(alive[waiting.code]) if len(waiting) else waiting
        yield Snapshot(opened, waiting, _corrected(opened, waiting), erasing, tuple(signals.values()))


def _records(folder: Path) -> list[Record]:
    records: list[Record] = []
    for path in sorted(folder.glob("*.journal")):
        try:
            found = read_journal(path)
        except NotFound:  # sealed since it was listed
            continue
        if found.damaged_at:
            raise BadInput(
                f"this journal was damaged at byte {found.damaged_at[0]}",
                where=str(path),
                hint="Put the file back from a backup, or open the folder with repair",
            )
        records += found.records
    return records


def _corrected(opened: Opened, waiting: Rows) -> Rows:
    """Return the sealed readings that ones still waiting replace."""
    fresh = times_by_series(waiting)
    found: list[Rows] = [no_rows()]
    for file, held in opened.parts:
        for h in held:
            times = fresh.get((h.device, h.signal))
            if times is None or h.last_ns < times[0] or h.first_ns > times[-1]:
                continue
            pieces = file.pieces(h, int(times[0]), int(times[-1]) + 1)
            found += [rows.part(np.isin(rows.time_ns, times)) for rows in pieces]
    return join(found)
