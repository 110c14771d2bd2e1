"""Admit: the station nothing bypasses between the wire and everything else.

Order of the rules, the first that refuses wins:
1. identity: the device must be one that may speak here;
2. consent: a signal without a purpose is not kept, nor shown, nor scored;
3. quality: values that are no finite numbers become missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.batch import Batch
from bimetal.nouns.purpose import Purpose


@dataclass(frozen=True, slots=True)
class Admitted:
    """What may pass, and how many readings were refused, by rule."""

    batch: Batch
    refused: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Admission:
    """Who may speak (`devices`, None: whoever was let in) and why each signal is kept.

    Without `purposes` (None) every signal is kept, as its owner asked by serving without any.
    """

    purposes: Mapping[str, Purpose] | None
    devices: frozenset[str] | None = None

    def admit(self, batch: Batch) -> Admitted:
        """Return the part of the batch that may pass."""
        if self.purposes is None and self.devices is None and np.isfinite(batch.values).all():
            return Admitted(batch, {"identity": 0, "consent": 0, "quality": 0})
        rows = self._identified(batch)
        wanted = self.purposes
        columns = np.array([wanted is None or s.name in wanted for s in batch.signals], dtype=bool)
        values = batch.values[rows][:, columns]
        finite = np.isfinite(values)
        passed = Batch(
            batch.devices,
            tuple(s for s, keep in zip(batch.signals, columns, strict=True) if keep),
            batch.time_ns[rows],
            batch.device[rows],
            np.where(finite, values, np.nan),
        )
        present = ~np.isnan(batch.values)
        refused = {
            "identity": int(present[~rows].sum()),
            "consent": int(present[rows][:, ~columns].sum()),
            "quality": int((present[rows][:, columns] & ~finite).sum()),
        }
        return Admitted(passed, refused)

    def _identified(self, batch: Batch) -> NDArray[np.bool_]:
        if self.devices is None:
            return np.ones(len(batch), dtype=bool)
        known = np.array([d in self.devices for d in batch.devices], dtype=bool)
        return known[batch.device] if len(batch) else np.zeros(0, dtype=bool)
