"""Retain: nothing is kept for longer than its purpose allows."""

from __future__ import annotations

from collections.abc import Mapping

from bimetal.keep.rule import Rule
from bimetal.keep.segment import Removed, Segments
from bimetal.nouns.errors import BadInput
from bimetal.nouns.purpose import Purpose

DAY_NS = 86_400_000_000_000


def retain(segments: Segments, purposes: Mapping[str, Purpose], now_ns: int) -> Removed:
    """Remove every reading that is older than its signal's purpose allows.

    Files wholly out of time are unlinked, others rewritten. Raises BadInput, removing nothing,
    when a signal is kept for which no purpose is given.
    """
    kept = sorted({h.signal for h in segments.held()})
    without = [name for name in kept if name not in purposes]
    if without:
        raise BadInput(
            f"{len(without)} signals are kept for no purpose, {without[0]!a} first",
            where=str(segments.folder),
            hint="Give each signal a purpose",
        )
    return segments.remove([Rule(signal=name, before_ns=oldest_ns(purposes[name], now_ns)) for name in kept])


def oldest_ns(purpose: Purpose, now_ns: int) -> int:
    """Return the instant before which a purpose no longer covers readings."""
    return now_ns - round(min(purpose.keep_days, 1e5) * DAY_NS)
