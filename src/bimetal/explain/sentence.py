"""Sentence: an event in plain words."""

from __future__ import annotations

from collections.abc import Sequence

from bimetal.nouns.event import Cause, Fault, Reason

_FAR = 1.0
_SAID = {
    Fault.MISSING: "has gone silent",
    Fault.OUT_OF_RANGE: "shows what it cannot measure",
    Fault.STUCK: "has repeated the same value for too long",
}


def sentence_of(device: str, reasons: Sequence[Reason], cause: Cause, fault: int) -> str:
    """Say which signal does what, in one sentence."""
    if not reasons:
        return f"{device}: the signals together are unusual."
    first = reasons[0]
    if cause is Cause.SENSOR:
        said = _SAID.get(Fault(fault), "does not answer as a sensor should")
        return f"{device}: the sensor {first.signal} {said} ({_value(first)})."
    words = f"{device}: {first.signal} {_value(first)} {_against(first)} ({first.share:.0%} of the alarm)"
    others = [r for r in reasons[1:3] if r.share >= 0.15]
    if others:
        words += f"; {' and '.join(f'{r.signal} {_value(r)} {_against(r)}' for r in others)}"
    return words + "."


def _value(reason: Reason) -> str:
    if reason.value != reason.value:
        return "without a value"
    return f"{reason.value:.4g}{f' {reason.unit}' if reason.unit else ''}"


def _against(reason: Reason) -> str:
    low, high = reason.low, reason.high
    usual = f"its usual {low:.4g} to {high:.4g}"
    width = max(high - low, 1e-30)
    if reason.value > high:
        return f"is {'far ' if reason.value - high > _FAR * width else ''}above {usual}"
    if reason.value < low:
        return f"is {'far ' if low - reason.value > _FAR * width else ''}below {usual}"
    if reason.value != reason.value:
        return "is missing"
    return f"is within {usual} but does not fit how it moved before, or the others"
