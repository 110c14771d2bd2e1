"""Rule: which kept readings must go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bimetal.keep.rows import Goes, Rows, Series


@dataclass(frozen=True, slots=True)
class Rule:
    """Readings of this device and this signal from before this instant; None means any.

    Erasure is `Rule(device=...)`, retention `Rule(signal=..., before_ns=...)`.
    """

    device: str | None = None
    signal: str | None = None
    before_ns: int | None = None

    def names(self, device: str, signal: str) -> bool:
        """Whether readings of a series must go, at some time or other."""
        return self.device in (None, device) and self.signal in (None, signal)

    def touches(self, device: str, signal: str, first_ns: int) -> bool:
        """Whether any reading of a series that begins at `first_ns` must go."""
        return self.names(device, signal) and (self.before_ns is None or first_ns < self.before_ns)


def goes_by(rules: Sequence[Rule]) -> Goes:
    """Return what says, of a series and its times, which readings the rules let go."""

    def goes(series: Series, time_ns: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        hit = [rule for rule in rules if rule.names(*series)]
        if not hit:
            return None
        if any(rule.before_ns is None for rule in hit):
            return np.ones(len(time_ns), bool)
        return time_ns < max(rule.before_ns for rule in hit if rule.before_ns is not None)

    return goes


def doomed(rows: Rows, rules: Sequence[Rule]) -> NDArray[np.bool_]:
    """Say of each row, in whatever order, whether any rule says it must go."""
    gone = np.zeros(len(rows), bool)
    for rule in rules:
        hit = (
            np.array([rule.names(*series) for series in rows.series], bool)[rows.code] if len(rows) else gone
        )
        gone |= hit if rule.before_ns is None else hit & (rows.time_ns < rule.before_ns)
    return gone
