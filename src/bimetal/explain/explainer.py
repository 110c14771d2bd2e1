"""Explainer: from one row of a detector's outputs to an event with reasons, cause and sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bimetal.explain.reason import Expected, reasons_of
from bimetal.explain.sentence import process_sentence, sensor_sentence
from bimetal.nouns.device import FLEET
from bimetal.nouns.event import Cause, Event, Fault, Kind, Reason
from bimetal.nouns.signal import Signal


@dataclass(frozen=True, slots=True)
class Explainer:
    """Says why, for the devices of one model.

    `expected` has for each device (FLEET: for all others) what is usual for every signal, in the
    order of `signals`. Call it with a row: values, share, fault (s,).

    The cause is `process` where the score is at its threshold, for a program keeps sensors at fault
    out of it; else `sensor` where one is at fault.
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
    ) -> Event:
        """Return the event of a row: an alarm where the score is at its threshold, else one of quality."""
        expected = self.expected.get(device) or self.expected[FLEET]
        faulty = np.flatnonzero(fault).tolist()
        alarm = score >= 1
        process = alarm or not faulty
        said: list[str] = []
        reasons: tuple[Reason, ...] = ()
        if process:
            reasons = reasons_of(self.signals, expected, values, share)
            said.append(process_sentence(device, reasons, len(self.signals) == 1))
        said += [self._sensor(device, k, expected[k], float(values[k]), Fault(int(fault[k]))) for k in faulty]
        if not process:
            blame = np.where(fault != 0, 1.0 / len(faulty), 0.0).astype(np.float32)
            reasons = reasons_of(self.signals, expected, values, blame)
        sentence = "; ".join(
            [said[0].rstrip("."), *(s.removeprefix(f"{device}: ").rstrip(".") for s in said[1:])]
        )
        return Event(
            kind=Kind.ALARM if alarm else Kind.QUALITY,
            device=device,
            time_ns=time_ns,
            score=score,
            alarm=alarm,
            cause=Cause.PROCESS if process else Cause.SENSOR,
            reasons=reasons,
            sentence=f"{sentence}.",
            since_ns=since_ns,
        )

    def _sensor(self, device: str, k: int, expected: Expected, value: float, fault: Fault) -> str:
        signal = self.signals[k]
        rows = {Fault.STUCK: expected.stuck_rows, Fault.MISSING: expected.gone_rows}.get(fault, 0)
        return sensor_sentence(device, signal, fault, value, rows * signal.period_s)
