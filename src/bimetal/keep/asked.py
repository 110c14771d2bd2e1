"""Asked: which readings somebody wants to see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bimetal.nouns.batch import Batch

EARLIEST_NS = -(1 << 63)
LATEST_NS = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Asked:
    """Readings of these devices and signals (None: of all), with since <= time < until."""

    devices: tuple[str, ...] | None = None
    signals: tuple[str, ...] | None = None
    since_ns: int = EARLIEST_NS
    until_ns: int = LATEST_NS

    def wants(self, device: str, signal: str, first_ns: int, last_ns: int) -> bool:
        """Whether a series from first to last may hold any of them."""
        return (
            (self.devices is None or device in self.devices)
            and (self.signals is None or signal in self.signals)
            and first_ns < self.until_ns
            and last_ns >= self.since_ns
        )

    def of(self, batch: Batch) -> Batch:
        """Return the part of a batch that is wanted."""
        rows = (batch.time_ns >= self.since_ns) & (batch.time_ns < self.until_ns)
        if self.devices is not None:
            rows &= np.array([d in self.devices for d in batch.devices], bool)[batch.device]
        if self.signals is None:
            columns, signals = slice(None), batch.signals
        else:
            columns = [k for k, s in enumerate(batch.signals) if s.name in self.signals]
            signals = tuple(batch.signals[k] for k in columns)
        values = batch.values[rows][:, columns]
        return Batch(batch.devices, signals, batch.time_ns[rows], batch.device[rows], values)
