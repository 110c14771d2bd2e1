"""Leave: stretches of time that somebody said were faults, so that nothing is learned from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.batch import Batch
from bimetal.nouns.errors import BadInput

HINT = "Look at the times of the history: START/END or START/END/DEVICE, as bimetal train names them"


@dataclass(frozen=True, slots=True)
class Span:
    """From when to when, both included, in nanoseconds since 1970 UTC; of one device, or of all ("")."""

    begin_ns: int
    end_ns: int
    device: str = ""

    def rows(self, batch: Batch) -> NDArray[np.bool_]:
        """Return which rows (n,) of a batch lie in it."""
        inside = (batch.time_ns >= self.begin_ns) & (batch.time_ns <= self.end_ns)
        if not self.device:
            return inside
        if self.device not in batch.devices:
            return np.zeros(len(batch), bool)
        return inside & (batch.device == batch.devices.index(self.device))


@dataclass(slots=True)
class Leaving:
    """Spans that are left out of a history as it is read; each must meet some of it."""

    spans: Sequence[Span]
    met: set[Span] = field(default_factory=set[Span])

    def bad(self, batch: Batch, labels: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
        """Return which rows (n,) not to learn from: those of a span, and those a label calls bad."""
        for span in self.spans:
            rows = span.rows(batch)
            if rows.any():
                self.met.add(span)
                labels = rows if labels is None else labels | rows
        return labels

    def check(self) -> None:
        """Raise BadInput for a span in which no reading lies."""
        for span in self.spans:
            if span not in self.met:
                whose = f" of {span.device!a}" if span.device else ""
                begin, end = (_written(ns) for ns in (span.begin_ns, span.end_ns))
                raise BadInput(
                    f"there are no readings{whose} from {begin} to {end} that could be left out", hint=HINT
                )


def _written(time_ns: int) -> str:
    return str(np.datetime64(time_ns // 1_000_000, "ms"))
