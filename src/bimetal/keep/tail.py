"""Tail: what arrived and is not sealed yet, safe in journals and at hand in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bimetal.keep.disk import in_words, make_folder, remove_durably, sweep_unfinished, write_whole
from bimetal.keep.journal import Journal, Record, read_journal, write_journal
from bimetal.keep.reading_table import from_bytes, to_bytes, without
from bimetal.keep.rule import Rule
from bimetal.nouns.batch import Batch
from bimetal.nouns.errors import BadInput, Error, NotFound
from bimetal.nouns.reading import Quality


@dataclass(frozen=True, slots=True)
class Kept:
    """A batch that is safe, with its place in the order of arrival."""

    sequence: int
    batch: Batch
    quality: Quality


@dataclass(frozen=True, slots=True)
class Recovery:
    """What opening found: batches that were not sealed yet, bytes of one never finished, damage set aside."""

    batches: int
    torn_bytes: int
    damaged: tuple[str, ...]


class Tail:
    """The journals of one folder, and the batches in them that no segment holds yet.

    Not for several threads at once; its owner sees to that.
    """

    def __init__(self, folder: Path, sealed: int, *, repair: bool = False) -> None:
        make_folder(folder)
        sweep_unfinished(folder)
        self._folder = folder
        self._journal: Journal | None = None
        self._last: dict[Path, int] = {}
        self.kept: list[Kept] = []
        self.sequence = sealed
        self.recovery = self._recover(sealed, repair)
        self.readings = sum(k.batch.readings for k in self.kept)

    def append(self, batch: Batch, quality: Quality) -> int:
        """Make a batch durable and return its sequence number; a failed one's number is never used again."""
        content = to_bytes(batch, quality)
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
        self.kept.append(Kept(self.sequence, batch, quality))
        self.readings += batch.readings
        return self.sequence

    def rotate(self) -> None:
        """Finish the journal being written; the next batch begins another."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def forget(self, through: int, pinned: int | None) -> None:
        """Drop batches up to one that segments hold, and the journals nobody will replay."""
        self.kept = [k for k in self.kept if k.sequence > through]
        self.readings = sum(k.batch.readings for k in self.kept)
        needed = through if pinned is None else min(through, pinned)
        gone = [path for path, last in self._last.items() if last <= needed and not self._writing(path)]
        remove_durably(gone)
        for path in gone:
            del self._last[path]

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
        before = self.readings
        slimmed = [Kept(k.sequence, without(k.batch, rules), k.quality) for k in self.kept]
        self.kept = [k for k in slimmed if len(k.batch)]
        self.readings = sum(k.batch.readings for k in self.kept)
        return before - self.readings

    def replay(self, after: int) -> Iterator[tuple[int, Batch]]:
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
                    yield record.sequence, from_bytes(record.content)[0]

    def close(self) -> None:
        """Let go of the files."""
        self.rotate()

    def _writing(self, path: Path) -> bool:
        return self._journal is not None and self._journal.path == path

    def _recover(self, sealed: int, repair: bool) -> Recovery:
        torn = 0
        damaged: list[str] = []
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
            fresh = [r for r in found.records if r.sequence > sealed]
            self.kept += [Kept(r.sequence, *from_bytes(r.content)) for r in fresh]
        return Recovery(len(self.kept), torn, tuple(damaged))


def _slimmed(record: Record, rules: Sequence[Rule]) -> Record:
    batch, quality = from_bytes(record.content)
    slim = without(batch, rules)
    if slim.readings == batch.readings:
        return record
    return Record(record.sequence, to_bytes(slim, quality))


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
