"""Notice: what is to change so that a notice about a sensor does not come again, or comes sooner.

readings around it ── the notice ── how far the signal went, all limits open ── limits, tried on the readings
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.learn.detector import Design
from bimetal.learn.label import Verdict, part_at
from bimetal.learn.limit import Limit, limited
from bimetal.learn.looking import NEAR, Detector, Stretch
from bimetal.learn.sense import Values, figures_of
from bimetal.learn.usual import NEVER as NEVER_ROWS
from bimetal.nouns.errors import BadInput
from bimetal.nouns.event import Fault
from bimetal.program.operators.quality_gate import NEVER

SETTLED = 32
"""Notices that are so many readings apart are two."""
LEAD = 8
"""So many readings before a notice have to do with it."""
ROOM = 1.25
"""So many times as far as it went a signal may go from then on,"""
MORE, TRIES = 1.5, 6
"""and if that is not enough, so many times as far again."""
SOONER = 1 / 1.5
"""What was a fault is told from so much of the limit on, and later where other readings would be told too."""
GATE = ("quality_jump", "quality_rough", "quality_fast", "quality_slow", "quality_broken")
"""The limits of the gate, in the order of its figures."""
BY_FIGURE = {
    Fault.SPIKE: (0,), Fault.NOISE: (1,), Fault.OFFSET: (2, 3), Fault.DRIFT: (2, 3), Fault.DROPOUT: (4,),
}  # fmt: skip
BY_RUN = {Fault.STUCK: "sensor_stuck_after", Fault.MISSING: "sensor_gone_after"}


@dataclass(frozen=True, slots=True)
class Notice:
    """A fault that was told of the signal at a place, and the rows of its device at which it was on."""

    place: int
    fault: Fault
    rows: slice


@dataclass(frozen=True, slots=True)
class Ears:
    """A detector, and readings of a device around a notice: what is told there, now or with other limits."""

    detector: Detector
    seen: Stretch

    def faults(self, values: Values | None = None) -> NDArray[np.int32]:
        """Return the faults (n, s) that are told, with the detector's values or others."""
        out = self.detector.outputs(self.seen, values)
        return np.reshape(out["fault"], (len(out), -1)).astype(np.int32)

    def notice_at(self, place: int, time_ns: int, name: str) -> Notice:
        """Return what was told of a signal at a time; raises BadInput where there was no such notice."""
        fault = self.faults()[:, place] if len(self.seen.time_ns) else np.zeros(0, np.int32)
        at = max(int(np.searchsorted(self.seen.time_ns, time_ns, side="right")) - 1, 0)
        told = np.flatnonzero(fault)
        apart = np.abs(told - at)
        if apart.min(initial=NEAR + 1) > NEAR:
            raise BadInput(
                f"nothing was said of the sensor {name} at that time", hint="Give the time of a notice"
            )
        nearest = int(told[apart.argmin()])
        same = np.flatnonzero(fault == fault[nearest])
        return Notice(place, Fault(int(fault[nearest])), part_at(same, nearest, SETTLED))

    def count(self, notice: Notice, values: Values | None = None) -> int:
        """Return how many notices of its kind there are of its signal."""
        rows = np.flatnonzero(self.faults(values)[:, notice.place] == notice.fault)
        return int(np.count_nonzero(np.diff(rows, prepend=-SETTLED - 1) > SETTLED))

    def limits(self, notice: Notice, name: str, verdict: Verdict) -> tuple[Limit, ...]:
        """Return the limits with which it would not have been told, or would have been sooner.

        Raises BadInput where nothing keeps it from being told.
        """
        mine = self.detector.of(self.seen.device)
        found = tuple(
            Limit(name, notice.fault, param, notice.place, value, {})
            for param, value in self._wanted(notice, verdict, mine)
        )
        if verdict is Verdict.FAULT:
            return found
        for _ in range(TRIES):
            if not self._told(notice, found, mine):
                return found
            found = tuple(replace(x, value=_farther(x, mine)) for x in found)
        raise BadInput(
            f"no limit keeps {notice.fault.name.lower().replace('_', ' ')} of {name} from being told",
            hint="Leave the signal out of the model, if its sensor does not matter",
        )

    def _told(self, notice: Notice, limits: tuple[Limit, ...], mine: Values) -> bool:
        after = limited(mine, self.seen.device, [_Trial(limits)])
        return bool((self.faults(after)[notice.rows, notice.place] == notice.fault).any())

    def _wanted(self, notice: Notice, verdict: Verdict, mine: Values) -> Iterator[tuple[str, float]]:
        """Yield each parameter that decides about the fault, with the value it should have."""
        k, fault, allows = notice.place, notice.fault, verdict is Verdict.NOT_A_FAULT
        column = self.seen.values[:, k]
        inside = np.zeros(len(column), bool)
        inside[max(notice.rows.start - LEAD, 0) : notice.rows.stop] = True
        if fault in BY_RUN:
            param = BY_RUN[fault]
            runs = _same(column) if fault is Fault.STUCK else _silent(column)
            inside |= _reaching(runs, inside)
            yield param, _rows(runs, inside, int(mine[param][k]), allows)
        elif fault is Fault.OUT_OF_RANGE and allows:
            known = column[inside & np.isfinite(column)]
            low, high = float(mine["sensor_low"][k]), float(mine["sensor_high"][k])
            if known.min(initial=low) < low:
                yield "sensor_low", float(known.min())
            if known.max(initial=high) > high:
                yield "sensor_high", float(known.max())
        elif fault is Fault.UNIT and allows:
            z = self._open(k, mine)[1]
            off = np.abs(z - float(mine["quality_centre"][k]))[inside]
            yield "quality_reach", min(ROOM * float(np.nanmax(off)), NEVER)
        for number in BY_FIGURE.get(fault, ()):
            figure = self._open(k, mine)[0][:, number]
            figure = np.abs(figure - float(mine["quality_middle"][k])) if number in (2, 3) else figure
            yield GATE[number], _limit(figure, inside, float(mine[GATE[number]][k]), allows)

    def _open(self, k: int, mine: Values) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the gate's figures (n, 5) of a signal, and itself standardised (n,), nothing limited."""
        wide = dict(mine)
        for param in GATE:
            wide[param] = np.array(wide[param])
            wide[param][k] = NEVER
        names, signals = self.detector.names, self.seen.values.shape[1]
        design = Design(signals, siblings="quality_sibling" in mine)
        figures, z = figures_of(design, names, [(wide, self.seen.values)], self.detector.target)
        return figures[:, :, k].astype(np.float64), z[:, k].astype(np.float64)


@dataclass(frozen=True, slots=True)
class _Trial:
    """Limits as if they had been set: more is allowed, whoever it is."""

    limits: tuple[Limit, ...]
    allows: bool = True
    everywhere: bool = True

    def holds_for(self, device: str) -> bool:
        return True


def _limit(figure: NDArray[np.float64], inside: NDArray[np.bool_], now: float, allows: bool) -> float:
    """Return a limit beyond what was inside, or one nearer than now but beyond what was outside."""
    if allows:
        return min(ROOM * float(figure[inside].max(initial=0.0)), NEVER)
    return min(now, max(SOONER * now, ROOM * float(figure[~inside].max(initial=0.0))))


def _rows(runs: NDArray[np.int64], inside: NDArray[np.bool_], now: int, allows: bool) -> float:
    """Return after how many equal or missing readings in a row it is told."""
    if allows:
        return float(min(int(ROOM * int(runs[inside].max(initial=0))) + 1, NEVER_ROWS))
    return float(min(now, max(int(SOONER * now), int(ROOM * int(runs[~inside].max(initial=0))) + 1)))


def _farther(limit: Limit, mine: Mapping[str, Any]) -> float:
    """Return a limit farther out than one that was not enough."""
    if limit.param in ("sensor_low", "sensor_high"):
        return limit.value + (limit.value - float(mine[limit.param][limit.place]))
    return min(MORE * max(limit.value, float(mine[limit.param][limit.place])), NEVER)


def _same(column: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return for how many readings each row has said the same; gaps neither end such a run nor count."""
    runs, run, last = np.zeros(len(column), np.int64), 0, np.float32(np.nan)
    for at, value in enumerate(column.astype(np.float32)):
        if not np.isnan(value):
            run = run + 1 if value == last else 1
            last = value
        runs[at] = run
    return runs


def _silent(column: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return for how many readings in a row each has been missing."""
    rows = np.arange(len(column))
    here = np.maximum.accumulate(np.where(np.isnan(column), -1, rows))
    return rows - here


def _reaching(runs: NDArray[np.int64], inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the rows of the runs that reach into what is inside, from their first on."""
    found = np.zeros(len(runs), bool)
    for at in np.flatnonzero(inside):
        found[max(at + 1 - int(runs[at]), 0) : at + 1] = True
    return found
