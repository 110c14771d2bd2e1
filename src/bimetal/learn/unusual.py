"""Unusual: finds the moments of a history that stand out, which may be faults nobody spoke of.

scores of a device ── highest, and how long it lasts ── again, without it ── reasons
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bimetal.explain.reason import reasons_of
from bimetal.learn.dataset import History
from bimetal.learn.label import part_at
from bimetal.learn.sense import Values, run
from bimetal.learn.standout import Standout
from bimetal.learn.usual import Usual
from bimetal.nouns.device import FLEET
from bimetal.nouns.event import Reason
from bimetal.program.program import Program
from bimetal.targets.target import Target

Floats = NDArray[np.float64]
Times = NDArray[np.int64]

MOST_OF_DEVICE, MOST = 5, 12
"""So many moments are named at most of one device, and of all together."""
LASTS, RAISED, OFTEN = 0.5, 1.5, 0.8
"""A moment lasts while the score is half its highest or half as much again as it mostly is, and in any case
higher than four readings in five are."""
SHOWS = 2 / 3
"""It is explained where the score first is so much of its highest: what comes back jumps, too."""
HOLD = 16
"""Lower readings in between, up to so many, do not end it."""
LOOKED_AT = 1024
"""So many readings before a moment tell what the averages were."""

Because = Callable[[int, int], tuple[Reason, ...]]
"""Says why of a stretch, by number, and a row of it."""


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores (n,) of a stretch of a device with their times (n,), and its number among all stretches."""

    device: str
    number: int
    time_ns: Times
    score: Floats


@dataclass(frozen=True, slots=True)
class _Moment:
    stretch: Scores
    rows: slice
    peak: int

    @property
    def score(self) -> float:
        return float(self.stretch.score[self.peak])

    @property
    def shows(self) -> int:
        return self.rows.start + int((self.stretch.score[self.rows] >= SHOWS * self.score).argmax())


@dataclass(frozen=True, slots=True)
class Witness:
    """Asks a detector with the values of every device why a row of a history scores as it does."""

    program: Program
    values: Mapping[str, Values]
    names: Sequence[str]
    usual: Mapping[str, Sequence[Usual]]
    target: Target

    def reasons(self, history: History, device: str, values: Floats) -> tuple[Reason, ...]:
        """Return the reasons of the last of the rows (n, s) of a device."""
        *_, out = run(self.program, self.values[device], self.names, values, self.target)
        usual = self.usual.get(device) or self.usual[FLEET]
        return reasons_of(history.signals, usual, values[-1], np.reshape(out["share"][-1], -1))

    def standouts(
        self, history: History, devices: Sequence[str], scores: Sequence[Floats], threshold: float
    ) -> tuple[Standout, ...]:
        """Return the moments that stand out; `scores` are of the last rows of each stretch of the devices."""
        places = [(d, k, time_ns) for d in devices for k, time_ns in enumerate(history.times(d))]
        stretches = [
            Scores(device, number, time_ns[len(time_ns) - len(score) :], score)
            for number, ((device, _, time_ns), score) in enumerate(zip(places, scores, strict=True))
        ]

        def because(number: int, row: int) -> tuple[Reason, ...]:
            device, k, _ = places[number]
            rows = history.stretches(device)[k]
            at = len(rows) - len(scores[number]) + row
            return self.reasons(history, device, rows[max(at + 1 - LOOKED_AT, 0) : at + 1])

        return unusual_of(stretches, threshold, because)


def unusual_of(stretches: Sequence[Scores], threshold: float, because: Because) -> tuple[Standout, ...]:
    """Return the moments that stand out, highest score first; an alarm begins at the `threshold`.

    There are some in every history; whether they were faults, somebody has to say.
    """
    of_device: dict[str, list[Scores]] = {}
    for one in stretches:
        if len(one.score):
            of_device.setdefault(one.device, []).append(one)
    found = [moment for mine in of_device.values() for moment in _of_device(mine)]
    highest = sorted(found, key=lambda one: -one[0].score)[:MOST]
    return tuple(
        Standout(
            moment.stretch.device,
            int(moment.stretch.time_ns[moment.rows.start]),
            int(moment.stretch.time_ns[moment.rows.stop - 1]),
            moment.score / threshold,
            rest / threshold,
            because(moment.stretch.number, moment.shows),
        )
        for moment, rest in highest
    )


def _of_device(stretches: Sequence[Scores]) -> list[tuple[_Moment, float]]:
    """Return the moments of a device with the highest score of the rest of its history."""
    left = [s.score.copy() for s in stretches]
    everything = np.concatenate(left)
    mostly, floor = np.quantile(everything, (0.5, OFTEN)).tolist()
    found: list[_Moment] = []
    while len(found) < MOST_OF_DEVICE:
        k = int(np.argmax([float(score.max()) for score in left]))
        peak = int(left[k].argmax())
        if not left[k][peak] > floor:
            break
        level = max(min(LASTS * float(left[k][peak]), RAISED * mostly), floor)
        rows = _lasting(left[k], peak, level)
        found.append(_Moment(stretches[k], rows, peak))
        left[k][max(rows.start - HOLD, 0) : rows.stop + HOLD] = 0.0
    rest = max(float(score.max()) for score in left)
    return [(moment, rest) for moment in found]


def _lasting(score: Floats, peak: int, level: float) -> slice:
    """Return the rows around a peak at which the score stays at a level, or soon comes back to it."""
    over = np.flatnonzero(score >= min(level, score[peak]))
    return part_at(over, peak, HOLD)
