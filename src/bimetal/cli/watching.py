"""Watching: what the demo has seen so far: the page kept up to date, faults and alarms counted."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from bimetal.api import Live
from bimetal.nouns.event import Event, Kind
from bimetal.packs.judge import Verdict, judge
from bimetal.packs.truth import Truth
from bimetal.spine import Heard

MOST_DELAYS = 100_000


class Watching:
    """Takes in what the hot walk heard, and judges it against what was done on purpose.

    `began_s` is when the demo began, on the monotonic clock.
    """

    def __init__(self, page: Live, began_s: float) -> None:
        self._page = page
        self._began_s = began_s
        self._truth: Sequence[Truth] = ()
        self._events: list[Event] = []
        self._delays_ms: deque[float] = deque(maxlen=MOST_DELAYS)
        self._first_alarm_s: float | None = None
        self._readings = self._scored = 0
        self._judged = (0, 0)
        self._verdict = Verdict((), (), ())

    def begin(self, truth: Sequence[Truth]) -> None:
        """Say which faults will be."""
        self._truth = truth

    def take(self, heard: Heard, now_ns: int) -> None:
        """Count what was heard by now, and show it."""
        self._readings += heard.kept.readings
        self._page.add_batch(heard.kept)
        for one in heard.streamed:
            self._scored += one.ready.readings
            self._delays_ms.extend(((now_ns - one.ready.time_ns) / 1e6).tolist())
            self._page.add_scored(one.ready, one.scored.score)
        for event in heard.events:
            self._page.add_event(event)
            self._events.append(event)
            if event.kind is not Kind.CLEARED and self._first_alarm_s is None:
                self._first_alarm_s = time.monotonic() - self._began_s
        self._judge(now_ns)

    def figures(self) -> dict[str, Any]:
        """Return what was counted, by name."""
        verdict = self._verdict
        return {
            "readings": self._readings,
            "scored": self._scored,
            "alarms": sum(e.kind is Kind.ALARM for e in self._events),
            "sensor_faults": sum(e.kind is Kind.QUALITY for e in self._events),
            "faults_injected": verdict.injected,
            "faults_found": len(verdict.found),
            "false_alarms": len(verdict.false),
            "seconds_to_first_alarm": self._rounded(self._first_alarm_s),
            "p99_ms": self._rounded(self._p99_ms()),
            "missed": [f"{t.kind} of {t.device}" for t in verdict.missed],
        }

    def _judge(self, now_ns: int) -> None:
        begun = [t for t in self._truth if t.start_ns <= now_ns]
        if (len(begun), len(self._events)) == self._judged:
            return
        self._judged = (len(begun), len(self._events))
        self._verdict = judge(begun, self._events)
        self._page.set_counters(
            faults_injected=self._verdict.injected,
            faults_found=len(self._verdict.found),
            false_alarms=len(self._verdict.false),
            p99_ms=self._p99_ms(),
        )

    def _p99_ms(self) -> float | None:
        return float(np.percentile(list(self._delays_ms), 99)) if self._delays_ms else None

    @staticmethod
    def _rounded(value: float | None) -> float | None:
        return None if value is None else round(value, 2)
