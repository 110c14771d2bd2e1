"""Dataset: a history of readings, kept within bounded memory, without the rows known to be bad."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.batch import Batch
from bimetal.nouns.errors import BadInput
from bimetal.nouns.signal import Signal

Floats = NDArray[np.float64]
Times = NDArray[np.int64]
Piece = tuple[Floats, Times]
"""Rows (n, s) that followed each other, and their times (n,) in nanoseconds since 1970."""

MOST_VALUES = 12_000_000
MOST_ROWS = 400_000
LEAST_ROWS = 64
MOST_SIGNALS = 512
MOST_DEVICES = 10_000
BLOCK = 1024
"""Where memory runs short whole blocks of this many rows are left out, never single rows."""


@dataclass(slots=True)
class _Track:
    """The rows of one device: whole blocks, of which every `stride`-th is kept, and the rows since."""

    blocks: list[Piece] = field(default_factory=list[Piece])
    fresh: list[Piece] = field(default_factory=list[Piece])
    fresh_rows: int = 0
    blocks_seen: int = 0
    stride: int = 1

    @property
    def rows(self) -> int:
        return len(self.blocks) * BLOCK + self.fresh_rows

    def add(self, values: Floats, time_ns: Times) -> None:
        self.fresh.append((values, time_ns))
        self.fresh_rows += len(values)
        if self.fresh_rows >= BLOCK:
            waiting = _joined(self.fresh)
            whole = self.fresh_rows // BLOCK * BLOCK
            for start in range(0, whole, BLOCK):
                if self.blocks_seen % self.stride == 0:
                    self.blocks.append(_cut(waiting, start, start + BLOCK))
                self.blocks_seen += 1
            self.fresh_rows -= whole
            self.fresh = [_cut(waiting, whole, whole + self.fresh_rows)]

    def thin(self) -> None:
        """Keep every other of the kept blocks, from now on too."""
        self.blocks = self.blocks[::2]
        self.stride *= 2

    def pieces(self) -> list[Piece]:
        """Return what is held as stretches of rows that followed each other."""
        parts = [*self.blocks, *(p for p in self.fresh if len(p[0]))]
        return [_joined(parts)] if parts and self.stride == 1 else parts


@dataclass(slots=True)
class History:
    """Readings to learn from, by device, in order of time; (n, s) values for s signals.

    At most `most_rows` rows are held in all, fewer with many signals: beyond that every other block of
    1024 rows of the device with the most is left out, so that what is kept still covers the whole
    time. Rows called bad are left out.
    """

    signals: tuple[Signal, ...]
    most_rows: int = MOST_ROWS
    rows_seen: int = 0
    rows_bad: int = 0
    first_ns: int | None = None
    last_ns: int | None = None
    _tracks: dict[str, _Track] = field(default_factory=dict[str, _Track])
    _held: int = 0

    def add(self, batch: Batch, bad: NDArray[np.bool_] | None = None) -> None:
        """Take a batch in; `bad` (n,) marks rows not to learn from. Raises BadInput for other signals."""
        if batch.signals != self.signals:
            raise BadInput(
                f"the history has the signals {[s.name for s in self.signals]}, "
                f"and now {[s.name for s in batch.signals]} came"
            )
        good = np.ones(len(batch), bool) if bad is None else ~bad
        self.rows_seen += len(batch)
        self.rows_bad += int((~good).sum())
        if len(batch):
            low, high = int(batch.time_ns.min()), int(batch.time_ns.max())
            self.first_ns = low if self.first_ns is None else min(self.first_ns, low)
            self.last_ns = high if self.last_ns is None else max(self.last_ns, high)
        order = np.argsort(batch.device[good], kind="stable")
        rows = np.flatnonzero(good)[order]
        for part in np.split(rows, np.flatnonzero(np.diff(batch.device[rows])) + 1):
            if len(part):
                track = self._tracks.setdefault(batch.devices[int(batch.device[part[0]])], _Track())
                self._held -= track.rows
                track.add(batch.values[part], batch.time_ns[part])
                self._held += track.rows
        self._trim()

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices there are rows of, in order of name."""
        return tuple(sorted(self._tracks))

    @property
    def rows(self) -> int:
        """How many rows are held."""
        return self._held

    def stretches(self, device: str) -> list[Floats]:
        """Return one device's rows as stretches (n, s) without holes, NaN where a reading is missing."""
        return [values for values, _ in self._tracks[device].pieces()]

    def times(self, device: str) -> list[Times]:
        """Return when the rows of one device's stretches were: nanoseconds since 1970, (n,) each."""
        return [time_ns for _, time_ns in self._tracks[device].pieces()]

    def values(self, device: str) -> Floats:
        """Return one device's rows (n, s), all stretches together."""
        parts = self.stretches(device)
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def part(self, first: float, last: float) -> History:
        """Return a history of this part, 0..1, of every stretch of every device."""
        found = History(self.signals, self.most_rows)
        for device in self.devices:
            track = found._tracks[device] = _Track(stride=self._tracks[device].stride)
            for values, time_ns in self._tracks[device].pieces():
                rows = slice(int(len(values) * first), int(len(values) * last))
                track.fresh.append((values[rows], time_ns[rows]))
                track.fresh_rows += len(values[rows])
        found._held = found.rows_seen = sum(t.rows for t in found._tracks.values())
        return found

    def check(self) -> None:
        """Raise BadInput when there is too little to learn from, or too much at once."""
        if len(self.signals) > MOST_SIGNALS:
            raise BadInput(
                f"{len(self.signals)} signals are more than {MOST_SIGNALS}",
                hint="Choose some with --signals a,b,c or leave some out with --ignore",
            )
        if not self.signals:
            raise BadInput("there is no signal to learn from")
        if len(self._tracks) > MOST_DEVICES:
            raise BadInput(
                f"{len(self._tracks)} devices are more than {MOST_DEVICES}",
                hint="Train on some of them: devices not met in training use what the fleet taught",
            )
        if self.rows < LEAST_ROWS:
            raise BadInput(
                f"{self.rows} healthy rows are too few to learn from",
                hint=f"Give at least {LEAST_ROWS} rows, better some thousands",
            )

    def _trim(self) -> None:
        most = min(self.most_rows, MOST_VALUES // max(len(self.signals), 1))
        while self._held > most:
            longest = max(self._tracks.values(), key=lambda t: len(t.blocks))
            if len(longest.blocks) < 2:
                return
            self._held -= longest.rows
            longest.thin()
            self._held += longest.rows


def history_of(batches: Sequence[Batch]) -> History:
    """Return the history of batches that have the same signals; raises BadInput when there is none."""
    if not batches:
        raise BadInput("there is nothing to learn from")
    history = History(batches[0].signals)
    for batch in batches:
        history.add(batch)
    return history


def _joined(pieces: Sequence[Piece]) -> Piece:
    if len(pieces) == 1:
        return pieces[0]
    return np.concatenate([values for values, _ in pieces]), np.concatenate([times for _, times in pieces])


def _cut(piece: Piece, first: int, last: int) -> Piece:
    """Return some rows as a copy, so that the rest of what they came in can go."""
    return piece[0][first:last].copy(), piece[1][first:last].copy()
