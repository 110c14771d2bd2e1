"""Judge: what was found of what a simulator did on purpose, and what was said without cause."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bimetal.nouns import Event, Kind
from bimetal.packs.truth import Truth


@dataclass(frozen=True, slots=True)
class Verdict:
    """Faults and whether each was found, and the events that no fault explains."""

    found: tuple[Truth, ...]
    missed: tuple[Truth, ...]
    false: tuple[Event, ...]

    @property
    def injected(self) -> int:
        """How many faults there were."""
        return len(self.found) + len(self.missed)


def judge(truth: Sequence[Truth], events: Iterable[Event]) -> Verdict:
    """Hold events against faults.

    A fault is found when an alarm or a sensor's fault begins at its device after it did and before its
    cause is gone. An event is false when none of its device's faults, effects included, explains it.
    """
    began = [e for e in events if e.kind is not Kind.CLEARED]
    found = [t for t in truth if any(_finds(e, t) for e in began)]
    return Verdict(
        tuple(found),
        tuple(t for t in truth if t not in found),
        tuple(e for e in began if not any(_explains(t, e) for t in truth)),
    )


def _finds(event: Event, fault: Truth) -> bool:
    return event.device == fault.device and fault.start_ns <= event.time_ns < fault.end_ns


def _explains(fault: Truth, event: Event) -> bool:
    return event.device == fault.device and fault.start_ns <= event.time_ns < fault.settled_ns
