"""Tail: what arrived and is not sealed yet, safe in journals and at hand in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bimetal.keep.batch_bytes import arrival_of, from_bytes, to_bytes, without
from bimetal.keep.disk import in_words, make_folder, remove_durably, sweep_unfinished, write_whole
from bimetal.keep.journal import Journal, Record, read_journal, write_journal
from bimetal.keep.rows import Rows, join, rows_of
from bimetal.keep.rule import Rule, doomed
from bimetal.nouns.batch import Batch
from bimetal.nouns.errors import BadInput, Error, NotFound
from bimetal.nouns.reading import Quality
from bimetal.nouns.signal import Signal

_FRESH = 64
"""So many batches wait before they become rows, which take less memory."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """What opening found: batches that were not sealed yet, bytes of one never finished, damage set aside.

    `signals` are those of the batches.
    """

    batches: int
    torn_bytes: int
    damaged: tuple[str, ...]
    signals: tuple[Signal, ...] = ()


@dataclass(frozen=True, slots=True)
class Arrived:
    """A batch with its place in the order of arrival, and when it arrived (the clock of who kept it)."""

    sequence: int
    time_ns: int
    batch: Batch


@dataclass(frozen=True, slots=True)
class Part:
    """Neighbouring batches as rows in the order of arrival; `bytes` is what they take in the journal."""

    first: int
    last: int
    bytes: int
    rows: Rows


class Tail:
    """The journals of one folder, and the readings in them that no segment holds yet.

    Not for several threads at once; its owner sees to that.
    """

    def __init__(self, folder: Path, sealed: int, *, repair: bool = False) -> None:
        make_folder(folder)
        sweep_unfinished(folder)
        self._folder = folder
        self._journal: Journal | None = None
        self._last: dict[Path, int] = {}
        self._fresh: list[tuple[int, int, Batch, Quality]] = []
        self._parts: list[Part] = []
        self._cut = 0
        self.readings = self.bytes = 0
        self.sequence = sealed
        self.recovery = self._recover(sealed, repair)

    def append(self, batch: Batch, quality: Quality, arrived_ns: int | None) -> int:
        """Make a batch durable and return its sequence number; a failed one's number is never used again."""
        content = to_bytes(batch, quality, arrived_ns)
        self.sequence += 1
        record = Record(self.sequence, content)
        try:
            if self._journal is None:
                self._journal = Journal(self._folder / f"{self.sequence:016d}.journal")
            self._last[self._journal.path] = self.sequence
            self._journal.append(record)
        except Error:
            self.rotate()
            raise
        self._take(record, batch, quality)
        return self.sequence

    def rotate(self) -> None:
        """Finish the journal being written; the next batch begins another."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def cut(self) -> list[Part]:
        """Begin another journal, and return all that is not sealed, in the order of arrival."""
        self.rotate()
        parts = self.parts()
        self._cut = len(parts)
        return parts

    def parts(self) -> list[Part]:
        """Return all that is not sealed, in the order of arrival."""
        self._settle()
        return list(self._parts)

    def forget(self, through: int, pinned: int | None) -> list[Path]:
        """Drop what segments hold; returns the journals nobody will replay, to be removed."""
        self._settle()
        self._parts = [p for p in self._parts if p.last > through]
        self._cut = 0
        self._count()
        needed = through if pinned is None else min(through, pinned)
        gone = [path for path, last in self._last.items() if last <= needed and not self._writing(path)]
        for path in gone:
            del self._last[path]
        return gone

    def remove(self, rules: Sequence[Rule]) -> int:
        """Rewrite the journals without what must go; returns how many unsealed readings went."""
        self.rotate()
        for path in list(self._last):
            records = read_journal(path).records
            slim = [_slimmed(record, rules) for record in records]
            if slim != records:
                write_journal(path, slim)
        if any(rule.device is not None for rule in rules):
            remove_durably(list(self._folder.glob("*.damaged")))
        self._settle()
        before = self.readings
        self._parts = [
            Part(p.first, p.last, p.bytes, p.rows.part(~doomed(p.rows, rules))) for p in self._parts
        ]
        self._count()
        return before - self.readings

    def replay(self, after: int) -> Iterator[Arrived]:
        """Yield the batches after a sequence number, in order, sealed or not.

        Raises NotFound when a journal that may hold one of them is gone.
        """
        oldest = min((int(p.stem) for p in self._last), default=self.sequence + 1)
        if after + 1 < oldest:
            raise NotFound(
                f"the batches after number {after} were sealed, and their order is gone",
                where=str(self._folder),
                hint="Start the programs anew, or from a later checkpoint",
            )
        for path in sorted(self._last):
            for record in read_journal(path).records:
                if record.sequence > after:
                    yield _arrived(record)

    def close(self) -> None:
        """Let go of the files."""
        self.rotate()

    def _take(self, record: Record, batch: Batch, quality: Quality) -> None:
        self._fresh.append((record.sequence, len(record.content), batch, quality))
        self.readings += batch.readings
        self.bytes += len(record.content)
        if len(self._fresh) >= _FRESH:
            self._settle()

    def _settle(self) -> None:
        """Make rows of the batches that wait; parts grow by doubling, so that there are few."""
        if not self._fresh:
            return
        rows = rows_of((batch, quality) for _, _, batch, quality in self._fresh)
        count = sum(size for _, size, _, _ in self._fresh)
        self._parts.append(Part(self._fresh[0][0], self._fresh[-1][0], count, rows))
        self._fresh = []
        parts = self._parts
        while len(parts) - self._cut >= 2 and len(parts[-2].rows) < 2 * len(parts[-1].rows):
            parts[-2:] = [_joined(*parts[-2:])]

    def _count(self) -> None:
        self.readings = sum(len(p.rows) for p in self._parts)
        self.bytes = sum(p.bytes for p in self._parts)

    def _writing(self, path: Path) -> bool:
        return self._journal is not None and self._journal.path == path

    def _recover(self, sealed: int, repair: bool) -> Recovery:
        torn = batches = 0
        damaged: list[str] = []
        signals: dict[str, Signal] = {}
        for path in sorted(self._folder.glob("*.journal")):
            found = read_journal(path)
            torn += found.torn_bytes
            if found.damaged_at:
                damaged.append(_set_aside(path, found.damaged_at, found.records, repair))
            if not found.records:
                remove_durably([path])
                continue
            self._last[path] = found.records[-1].sequence
            self.sequence = max(self.sequence, self._last[path] + len(found.damaged_at))
            for record in found.records:
                if record.sequence > sealed:
                    batch, quality = from_bytes(record.content)
                    self._take(record, batch, quality)
                    signals.update((s.name, s) for s in batch.signals)
                    batches += 1
        return Recovery(batches, torn, tuple(damaged), tuple(signals.values()))


def _joined(first: Part, second: Part) -> Part:
    return Part(first.first, second.last, first.bytes + second.bytes, join([first.rows, second.rows]))


def _slimmed(record: Record, rules: Sequence[Rule]) -> Record:
    batch, quality = from_bytes(record.content)
    slim = without(batch, rules)
    if slim.readings == batch.readings:
        return record
    return Record(record.sequence, to_bytes(slim, quality, arrival_of(record.content)))


def _arrived(record: Record) -> Arrived:
    batch, _ = from_bytes(record.content)
    time_ns = arrival_of(record.content)
    if time_ns is None:
        time_ns = int(batch.time_ns.max()) if len(batch) else 0
    return Arrived(record.sequence, time_ns, batch)


def _set_aside(path: Path, places: list[int], records: list[Record], repair: bool) -> str:
    if not repair:
        raise BadInput(
            f"this journal was damaged at byte {places[0]}, and {len(records)} batches in it can be read",
            where=str(path),
            hint="Open with repair to keep those and set the damaged file aside",
        )
    aside = path.with_suffix(".damaged")
    with in_words(path):
        content = path.read_bytes()
    write_whole(aside, content)
    write_journal(path, records)
    return str(aside)
