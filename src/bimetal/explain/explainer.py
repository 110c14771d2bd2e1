"""Explainer: from one row of a detector's outputs to an event with reasons, cause and sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bimetal.explain.reason import Expected, reasons_of
from bimetal.explain.sentence import (
    ALSO,
    context_sentence,
    doubt_sentence,
    lonely_sentence,
    process_sentence,
    sensor_sentence,
)
from bimetal.nouns.device import FLEET
from bimetal.nouns.event import Cause, Event, Fault, Kind, Reason
from bimetal.nouns.signal import Signal

ALONE, CONVICTED, LOOKS, UNKNOWN = 0.97, 0.95, 0.42, 0.5
"""How often a cause is the true one: a sensor's own fault, without and with an alarm; one that a sensor's
fault may well have; and where the signals are too few to tell. Measured by `python -m bench.cause`, where the
same excursion comes as often from the process as from a sensor alone."""
BY_SHARE = (0.4, 0.5, 0.6, 0.75, 0.85)
PROCESS_RIGHT = (0.8, 0.7, 0.58, 0.42, 0.23)
CONTEXT_RIGHT = (0.93, 0.85, 0.55, 0.5, 0.5)
"""The same for the process and for a way of running, by the share of the first signal: a fault of the process
shows in several signals, one of a sensor in its own alone."""
LONELY = 0.75
"""With so large a share, nothing else shows what the first signal shows."""
LEAST_OUTSIDE = 3


@dataclass(frozen=True, slots=True)
class Explainer:
    """Says why, for the devices of one model.

    `expected` has for each device (FLEET: for all others) what is usual for every signal, in the
    order of `signals`. Call it with a row: values, share, fault (s,); a negative fault is what a signal
    only looks like. `lasting` (s,) is for how many readings each signal's part has been large.

    Where the score is at its threshold the cause is `sensor` if the signal with the largest share is one
    whose sensor is at fault, for most such are kept out of the score; `context` if at least half of the
    signals, and three, are outside their usual ranges at once, an operating point never seen; else
    `process`. Without a score it is `sensor` where one is at fault.
    """

    signals: tuple[Signal, ...]
    expected: Mapping[str, Sequence[Expected]]

    def __call__(
        self,
        device: str,
        time_ns: int,
        values: NDArray[np.float64],
        score: float,
        share: NDArray[np.float32],
        fault: NDArray[np.int32],
        since_ns: int,
        lasting: NDArray[np.int32] | None = None,
    ) -> Event:
        """Return the event of a row: an alarm where the score is at its threshold, else one of quality."""
        expected = self.expected.get(device) or self.expected[FLEET]
        faulty = np.flatnonzero(fault > 0).tolist()
        alarm = score >= 1
        blamed = bool(share.any())
        process = not faulty or (alarm and blamed)
        if not process:
            share = np.where(fault > 0, 1.0 / len(faulty), 0.0).astype(np.float32)
        begun = self._begun(time_ns, lasting) if process and lasting is not None else ()
        reasons = reasons_of(self.signals, expected, values, share, begun)
        cause, confidence = self._cause(expected, values, share, fault) if process else (Cause.SENSOR, ALONE)
        said: list[str] = []
        if process:
            said.append(self._process(device, time_ns, cause, reasons, expected, values))
        said += [self._sensor(device, k, expected[k], float(values[k]), Fault(int(fault[k]))) for k in faulty]
        top = int(share.argmax())
        if process and fault[top] < 0:
            said.append(doubt_sentence(device, self.signals[top], Fault(-int(fault[top]))))
        elif cause is Cause.PROCESS and self._lonely(reasons):
            said.append(lonely_sentence(device))
        sentence = "; ".join(
            [said[0].rstrip("."), *(s.removeprefix(f"{device}: ").rstrip(".") for s in said[1:])]
        )
        return Event(
            kind=Kind.ALARM if alarm else Kind.QUALITY,
            device=device,
            time_ns=time_ns,
            score=score,
            alarm=alarm,
            cause=cause,
            reasons=reasons,
            sentence=f"{sentence}.",
            since_ns=since_ns,
            confidence=confidence,
        )

    def _lonely(self, reasons: Sequence[Reason]) -> bool:
        """Say whether the first signal has most of the share and no other one enough to be named."""
        others = (r.share for r in reasons[1:])
        return (
            len(self.signals) >= LEAST_OUTSIDE
            and reasons[0].share >= LONELY
            and max(others, default=0) < ALSO
        )

    def _process(
        self,
        device: str,
        time_ns: int,
        cause: Cause,
        reasons: tuple[Reason, ...],
        expected: Sequence[Expected],
        values: NDArray[np.float64],
    ) -> str:
        if cause is Cause.CONTEXT:
            return context_sentence(device, reasons, _outside(expected, values), len(self.signals))
        return process_sentence(device, reasons, len(self.signals) == 1, time_ns)

    def _begun(self, time_ns: int, lasting: NDArray[np.int32]) -> list[int | None]:
        """Return since when each signal's part has been large, from for how many readings it has been."""
        return [
            time_ns - round((rows - 1) * signal.period_s * 1e9) if rows > 0 and signal.period_s > 0 else None
            for signal, rows in zip(self.signals, lasting.tolist(), strict=True)
        ]

    def _cause(
        self,
        expected: Sequence[Expected],
        values: NDArray[np.float64],
        share: NDArray[np.float32],
        fault: NDArray[np.int32],
    ) -> tuple[Cause, float]:
        """Return where an alarm comes from, and how sure that is."""
        top = int(share.argmax())
        if fault[top] > 0:
            return Cause.SENSOR, CONVICTED
        outside, many = _outside(expected, values), len(self.signals)
        if outside >= LEAST_OUTSIDE and 2 * outside >= many:
            return Cause.CONTEXT, _right(share, CONTEXT_RIGHT)
        if fault[top] < 0 or many < LEAST_OUTSIDE:
            return Cause.PROCESS, LOOKS if fault[top] < 0 else UNKNOWN
        return Cause.PROCESS, _right(share, PROCESS_RIGHT)

    def _sensor(self, device: str, k: int, expected: Expected, value: float, fault: Fault) -> str:
        signal = self.signals[k]
        rows = {Fault.STUCK: expected.stuck_rows, Fault.MISSING: expected.gone_rows}.get(fault, 0)
        return sensor_sentence(device, signal, fault, value, rows * signal.period_s)


def _right(share: NDArray[np.float32], right: tuple[float, ...]) -> float:
    return round(float(np.interp(float(share.max()), np.array(BY_SHARE), np.array(right))), 3)


def _outside(expected: Sequence[Expected], values: NDArray[np.float64]) -> int:
    """Return how many signals (s,) are outside their usual range by at least a tenth of its width."""
    low, high = np.array([e.low for e in expected]), np.array([e.high for e in expected])
    room = 0.1 * (high - low)
    with np.errstate(invalid="ignore"):
        return int(np.count_nonzero((values < low - room) | (values > high + room)))
