"""Sentence: one plain sentence that says why, for people who never saw the model."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bimetal.nouns.event import Fault, Like, Reason, Unless
from bimetal.nouns.signal import Signal

ALSO = 0.1
"""Signals with at least this share are named beside the first."""
MOST_ALSO = 2
FAR = 0.5
"""Outside the usual range by this many times its width is far outside."""
ESCAPES = {
    "1": "", "Cel": "°C", "[degF]": "°F", "Ohm": "Ω", "kOhm": "kΩ", "deg": "°", "deg/s": "°/s", "[pH]": "pH",
    "[psi]": "psi", "mm[Hg]": "mmHg", "[mi_i]/h": "mph", "[in_i]/s": "in/s", "[g]": "g", "m/s2": "m/s²",
    "V.A": "VA", "kV.A": "kVA", "W.h": "Wh", "kW.h": "kWh", "MW.h": "MWh", "N.m": "Nm", "uA": "µA",
    "uT": "µT", "um": "µm", "us": "µs", "m3": "m³", "m3/h": "m³/h", "m3/s": "m³/s", "mg/m3": "mg/m³",
    "ug/m3": "µg/m³", "g/m3": "g/m³", "W/m2": "W/m²", "uS/cm": "µS/cm", "[ppm]": "ppm", "[ppb]": "ppb",
    "dB[mW]": "dBm", "By": "B", "By/s": "B/s",
}  # fmt: skip
"""UCUM codes that people write in another way."""


def process_sentence(device: str, reasons: Sequence[Reason], alone: bool, now_ns: int | None = None) -> str:
    """Return what is unusual at a device, from its reasons in order; `alone`: it has one signal only.

    With the time it is now, it says for how long the first reason has been one.
    """
    lasting = ""
    if reasons and now_ns is not None and reasons[0].since_ns is not None and reasons[0].since_ns < now_ns:
        lasting = f", for {span_text((now_ns - reasons[0].since_ns) / 1e9)} now"
    return f"{device}: {unusual_words(reasons, alone, f'the alarm{lasting}')}."


def unusual_words(reasons: Sequence[Reason], alone: bool, whole: str) -> str:
    """Say what is unusual, from reasons in order; the shares are of the `whole`."""
    if not reasons:
        return "the readings are unusual"
    first, *others = reasons
    also = [_also(r) for r in others if r.share >= ALSO][:MOST_ALSO]
    tail = "".join(f"; {a}" for a in also)
    return f"{_first(first, alone)} ({first.share:.0%} of {whole}){tail}"


def sensor_sentence(device: str, signal: Signal, fault: Fault, value: float, lasting_s: float) -> str:
    """Return what is wrong with a sensor; `lasting_s`: for how long it has been so at least, 0 if unknown."""
    lasting = f" for {span_text(lasting_s)}" if lasting_s > 0 else ""
    shown = f"{number_text(value)} {unit_text(signal.unit)}".strip()
    match fault:
        case Fault.STUCK:
            what = f"has repeated {shown}{lasting}"
        case Fault.MISSING:
            what = f"has been silent{lasting}"
        case Fault.OUT_OF_RANGE:
            what = f"says {shown}, which it cannot have measured"
        case Fault.SPIKE:
            what = f"spiked for a moment; now it says {shown}"
        case Fault.DROPOUT:
            what = "loses readings again and again"
        case Fault.NOISE:
            what = f"has grown noisy around {shown}"
        case Fault.OFFSET:
            what = f"says {shown} and has jumped away from the signal it goes with"
        case Fault.DRIFT:
            what = f"says {shown} and drifts away from the signal it goes with"
        case Fault.UNIT:
            what = f"says {shown}, as if in another unit"
        case Fault.HEALTHY:
            what = "is sound"
    return f"{device}: the {signal.name} sensor {what}."


LOOKS = {
    Fault.SPIKE: "a spike", Fault.NOISE: "noise", Fault.OFFSET: "a jump", Fault.DRIFT: "a drift",
    Fault.UNIT: "another unit",
}  # fmt: skip


def doubt_sentence(device: str, signal: Signal, looks: Fault) -> str:
    """Return that a signal looks as its sensor would if that were broken, which nothing can tell."""
    return f"{device}: {signal.name} looks like {LOOKS.get(looks, 'a fault')}, so its sensor is worth a look."


def lonely_sentence(device: str) -> str:
    """Return that no other signal shows what the first one does, which speaks for its sensor."""
    return f"{device}: nothing else shows it, so its sensor is worth a look."


def context_sentence(device: str, reasons: Sequence[Reason], outside: int, signals: int) -> str:
    """Return that a device runs in a way never seen: most of its signals are outside their usual ranges."""
    shown = "; ".join(_first(r, alone=False) for r in reasons[:MOST_ALSO])
    return f"{device}: runs in a way it was never seen to, {outside} of {signals} signals outside: {shown}."


def unless_words(unless: Unless, width: float) -> str:
    """Say with which value there would be no alarm; rounded so that it stays true."""
    decimals = _decimals(unless.limit, width)
    scale = 10.0**decimals
    rounded = (math.floor if unless.below else math.ceil)(unless.limit * scale) / scale
    shown = f"{rounded:.{max(decimals, 0)}f} {unit_text(unless.unit)}".rstrip()
    return f"{'below' if unless.below else 'above'} {shown} it would not alarm"


def like_words(like: Like, device: str, day: str) -> str:
    """Say which known alarm this one is most like, and how much they have in common."""
    when = ("" if like.device == device else f" of {like.device}") + (f" of {day}" if day else "")
    called = (
        f"called {like.name!r}, {_article(like.verdict)}"
        if like.name
        else f"said was {_article(like.verdict)}"
    )
    return f"most like the alarm{when} that you {called} ({like.alike:.0%} the same)"


def _article(verdict: str) -> str:
    return "a fault" if verdict == "fault" else verdict


def _decimals(value: float, width: float) -> int:
    """How many decimals a number within a range of this width is worth, one more than it is told with."""
    size = width if width > 0 and math.isfinite(width) else abs(value)
    return max(-3, min(7, 3 - math.ceil(math.log10(size)))) if size > 0 else 3


def drift_sentence(device: str, reasons: Sequence[Reason]) -> str:
    """Say that what is usual has changed, where that shows most, and what to do."""
    most = f", {reasons[0].signal} most of all" if reasons and reasons[0].share > 0 else ""
    return (
        f"{device} has been unusual far more often than in its history{most}: what was promised about false "
        "alarms no longer holds. If the machine is well, train on recent readings; else look at it."
    )


def number_text(value: float, width: float = 0.0) -> str:
    """Return a number with as many digits as a range of this width is worth, four without a range."""
    if not math.isfinite(value):
        return "nothing" if math.isnan(value) else f"{value:g}"
    if not width > 0 or not math.isfinite(width) or abs(value) >= 1e6 or width < 1e-5:
        return f"{value:.4g}"
    return f"{value:.{max(0, min(6, 2 - math.ceil(math.log10(width))))}f}"


def span_text(seconds: float) -> str:
    """Return a length of time in the largest unit that says it: `90 s`, `12 minutes`, `3.5 hours`."""
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


def unit_text(unit: str) -> str:
    """Return a UCUM code as people write it."""
    return ESCAPES.get(unit, unit)


def _first(reason: Reason, alone: bool) -> str:
    width = reason.high - reason.low
    unit = unit_text(reason.unit)
    if math.isnan(reason.value):
        return f"{reason.signal} has just gone missing after unusual readings"
    shown = f"{reason.signal} {number_text(reason.value, width)} {unit}".rstrip()
    usual = f"{number_text(reason.low, width)}–{number_text(reason.high, width)} {unit}".rstrip()
    where = _where(reason)
    if where:
        return f"{shown} is {where} its usual {usual}"
    odd = "moves in an unusual way" if alone else "does not fit the others or its own past"
    return f"{shown} is within its usual {usual} but {odd}"


def _also(reason: Reason) -> str:
    where = _where(reason)
    if where:
        return f"{reason.signal} is also {'high' if 'above' in where else 'low'}"
    return f"{reason.signal} is part of it"


def _where(reason: Reason) -> str:
    width = reason.high - reason.low
    if reason.value > reason.high:
        return "far above" if reason.value > reason.high + FAR * width else "above"
    if reason.value < reason.low:
        return "far below" if reason.value < reason.low - FAR * width else "below"
    return ""
