"""Dataset: a history of readings, kept within bounded memory, without the rows known to be bad."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.batch import Batch
from bimetal.nouns.errors import BadInput
from bimetal.nouns.signal import Signal

MOST_ROWS = 400_000
LEAST_ROWS = 64
MOST_SIGNALS = 512


@dataclass(slots=True)
class History:
    """Readings to learn from, by device, in order of time; (n, s) values for s signals.

    At most `most_rows` rows are held in all: beyond that the oldest of the longest device go, so
    that what is learned is how the machine has been of late. Rows called bad are left out.
    """

    signals: tuple[Signal, ...]
    most_rows: int = MOST_ROWS
    rows_seen: int = 0
    rows_bad: int = 0
    first_ns: int | None = None
    last_ns: int | None = None
    _parts: dict[str, list[NDArray[np.float64]]] = field(default_factory=dict[str, list[NDArray[np.float64]]])
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
        for number, device in enumerate(batch.devices):
            rows = (batch.device == number) & good
            if rows.any():
                self._parts.setdefault(device, []).append(batch.values[rows])
                self._held += int(rows.sum())
        self._trim()

    @property
    def devices(self) -> tuple[str, ...]:
        """The devices there are rows of, in order of name."""
        return tuple(sorted(self._parts))

    @property
    def rows(self) -> int:
        """How many rows are held."""
        return self._held

    def values(self, device: str) -> NDArray[np.float64]:
        """Return one device's rows (n, s), NaN where a reading is missing."""
        parts = self._parts[device]
        if len(parts) > 1:
            self._parts[device] = parts = [np.concatenate(parts)]
        return parts[0]

    def check(self) -> None:
        """Raise BadInput when there is too little to learn from, or too much at once."""
        if len(self.signals) > MOST_SIGNALS:
            raise BadInput(
                f"{len(self.signals)} signals are more than {MOST_SIGNALS}",
                hint="Choose some with --signals a,b,c or leave some out with --ignore",
            )
        if self.rows < LEAST_ROWS:
            raise BadInput(
                f"{self.rows} healthy rows are too few to learn from",
                hint=f"Give at least {LEAST_ROWS} rows, better some thousands",
            )

    def _trim(self) -> None:
        while self._held > self.most_rows:
            longest = max(self._parts, key=lambda d: sum(len(p) for p in self._parts[d]))
            oldest = self._parts[longest].pop(0)
            drop = min(len(oldest), self._held - self.most_rows)
            self._held -= drop
            if drop < len(oldest):
                self._parts[longest].insert(0, oldest[drop:])


def history_of(batches: Sequence[Batch]) -> History:
    """Return the history of batches that have the same signals; raises BadInput when there is none."""
    if not batches:
        raise BadInput("there is nothing to learn from")
    history = History(batches[0].signals)
    for batch in batches:
        history.add(batch)
    return history
