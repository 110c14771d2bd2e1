"""Cost: what a reading costs on the processor, by station, taken from what a server did.

A batch costs so much, and so much for each reading in it. When more comes in, batches grow, so what a
batch costs by itself is shared by more readings: under load only the second part counts. It is the slope
of processor seconds over readings of single batches (least squares), and never more than the mean. So it
is with the protocol, whose messages are those around the begin of a batch. What then is left of the
process belongs to batches, or runs in any case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bimetal.stream.meter import Spell

_FEWEST_CALLS = 20
_DOUBT = 1e-3
"""How much a split of the rest must explain, against giving all of it to the batches."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Processor seconds of a reading in large batches: taking in (with the protocol), and scoring.

    `idle` is the share of one processor that is used in any case; `arrays` says that messages hold many
    readings each.
    """

    ingest_s: float
    score_s: float
    idle: float
    arrays: bool

    def capacity(self, lanes: float) -> float:
        """Return how many readings a second go through, if so many processors may be used up."""
        each = self.ingest_s + self.score_s
        return max(lanes - self.idle, 0.0) / each if each > 0 else float("inf")


def cost_of(spells: Sequence[Spell]) -> Cost:
    """Return what a reading costs, from spells with at least one reading."""
    readings, messages = sum(s.readings for s in spells), sum(s.messages for s in spells)
    calls, walk = sum(s.calls for s in spells), sum(s.walk_s for s in spells)
    squares, products = sum(s.squares for s in spells), sum(s.products for s in spells)
    slope = _slope(calls, (readings, squares), (walk, products))
    part = slope * readings / walk if walk > 0 else 1.0
    ingest = sum(s.decode_s + s.keep_s for s in spells) * part / readings
    score = sum(s.score_s for s in spells) * part / readings
    each = _protocol(spells, calls)
    return Cost(ingest + each * messages / readings, score, _idle(spells, each), readings > 8 * messages)


def _protocol(spells: Sequence[Spell], calls: int) -> float:
    """Return seconds of the protocol for one message more: it is taken in before its batch begins, and
    acknowledged after it, so that it lies around two begins."""
    around, between = sum(s.around for s in spells), sum(s.between_s for s in spells)
    if not around:
        return 0.0
    squares, products = sum(s.around_squares for s in spells), sum(s.around_products for s in spells)
    return 2 * _slope(calls, (around, squares), (between, products))


def _slope(calls: int, load: tuple[float, float], cost: tuple[float, float]) -> float:
    """Return what one more costs; of `load` sum and sum of squares, of `cost` sum and sum of products."""
    (whole, squares), (spent, products) = load, cost
    mean = spent / whole
    spread = squares - whole**2 / max(calls, 1)
    if calls < _FEWEST_CALLS or spread <= 0.01 * whole**2 / calls:
        return mean
    slope = (products - whole * spent / calls) / spread
    return min(slope, mean) if slope > 0 else mean


def _idle(spells: Sequence[Spell], each: float) -> float:
    """Return the share of a processor that runs in any case, apart from what batches cause."""
    rest = np.array([max(s.process_s - s.walk_s - each * s.messages, 0.0) for s in spells])
    x = np.array([[s.seconds, s.calls] for s in spells], float)
    whole = x.sum(axis=0)
    if not rest.sum():
        return 0.0
    # Each column as its share of the sum, so that doubt weighs the same for both.
    span, load = (x / whole).T
    y, doubt = rest / rest.sum(), _DOUBT / len(spells)
    a, b, c = float(span @ span) + doubt, float(span @ load), float(load @ load) + doubt
    p, q = float(span @ y), float(load @ y) + doubt
    det = a * c - b * b
    idle, calls = max((c * p - b * q) / det, 0.0), max((a * q - b * p) / det, 0.0)
    return idle * float(rest.sum()) / max(idle + calls, 1e-9) / float(whole[0])
