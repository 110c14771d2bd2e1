"""What `bimetal eval` says: the figures as lines of a table, and as one JSON object."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from bimetal.learn.metric.count import Count
from bimetal.learn.metric.figures import Figures
from bimetal.wire.table.shape import counted, length

WORST = 8
"""So many devices are listed, those with the lowest VUS-PR first."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One detector: its figures, between what each lies, what was counted, and rows scored a second."""

    name: str
    figures: Figures
    between: dict[str, tuple[float, float]]
    count: Count
    rows_per_s: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that was found; `detectors` begin with the model's own, `each` is by device."""

    model: str
    data: tuple[str, ...]
    promise: str
    promised_per_day: float
    rows: int
    faulty_rows: int
    events: int
    healthy_days: float
    held_back: int
    seed: int
    detectors: tuple[Judged, ...]
    each: tuple[tuple[str, Figures], ...]
    learned_from: str
    state_bytes: int = 0
    notes: tuple[str, ...] = ()


RATE = "rate"
"""A form for figures of any size: three digits, or thousands with commas."""
COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("vus_pr", "VUS-PR", ".3f"),
    ("auc_pr", "AUC-PR", ".3f"),
    ("auc_roc", "ROC", ".3f"),
    ("recall", "found", ".0%"),
    ("f1", "F1", ".3f"),
    ("far", "FAR", ".1%"),
    ("mar", "MAR", ".1%"),
    ("false_per_day", "false/day", RATE),
    ("nab", "NAB", ".1f"),
    ("nab_board", "NAB best", ".1f"),
)
"""A figure, what heads its column, and how it is written."""
HITS = (
    ("hit_100", "HitRate@100 %", ".2f"),
    ("hit_150", "HitRate@150 %", ".2f"),
    ("top_1", "first named is right", ".2f"),
)


def written(value: float, form: str) -> str:
    """Write a figure, - for one that could not be measured."""
    if math.isnan(value):
        return "-"
    if form == RATE:
        return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return format(value, form)


def between(judged: Judged, name: str, form: str) -> str:
    """Write the interval of a figure, nothing where there is none or it is a point."""
    low, high = judged.between.get(name, (0.0, 0.0))
    if low == high:
        return ""
    if form == ".3f":
        form = ".2f"
    mark = " to " if low < 0 else "–"
    return f"{written(low, form).rstrip('%')}{mark}{written(high, form)}"


def lines(outcome: Outcome) -> Iterator[str]:
    """Say what came of it: what was judged, our own figures in words, then everybody's as a table."""
    ours = outcome.detectors[0]
    yield (
        f"{counted(outcome.rows, 'row')} of {counted(max(len(outcome.each), 1), 'device')}, "
        f"{outcome.faulty_rows:,} of them faulty, in {counted(outcome.events, 'event')}"
    )
    yield f"promised: {outcome.promise} false alarms; {_delivered(outcome)}"
    if outcome.events:
        delay = ours.figures.delay_s
        late = "" if math.isnan(delay) else f", {length(delay)} after they began (median)"
        yield f"found: {ours.count.found} of {counted(outcome.events, 'event')}{late}"
    if outcome.held_back:
        yield f"suppressed by the budget: {counted(outcome.held_back, 'alarm')}"
    for name, words, form in HITS:
        if not math.isnan(getattr(ours.figures, name)):
            yield f"{words}: {written(getattr(ours.figures, name), form)}"
    yield f"takes {outcome.state_bytes:,} bytes of state a device, {ours.rows_per_s:,.0f} rows a second"
    yield ""
    yield from table(outcome)
    yield ""
    yield f"Small figures: 90 of 100 drawings of the same data lie between them (seed {outcome.seed})."
    yield (
        f"The others learned from {outcome.learned_from}. FAR, MAR: healthy rows in alarm, faulty rows "
        "without one. NAB: as shipped; NAB best: at the threshold that suits these labels best."
    )
    yield from _each(outcome)


def _delivered(outcome: Outcome) -> str:
    ours = outcome.detectors[0]
    if not outcome.healthy_days:
        return "no healthy time to count them in"
    allowed = outcome.promised_per_day * outcome.healthy_days
    kept = f"{written(ours.figures.kept, '.2g')} times what was promised"
    if allowed < 1:
        kept = f"{allowed:.2g} would be allowed, so this is too short to tell whether the promise is kept"
    return (
        f"delivered: {counted(ours.count.false_alarms, 'false alarm')} in {outcome.healthy_days:.3g} healthy "
        f"device-days; {kept}"
    )


def table(outcome: Outcome) -> Iterator[str]:
    """Yield everybody's figures in columns, each detector's intervals below them."""
    rows = [["", *(head for _, head, _ in COLUMNS), "rows/s"]]
    for judged in outcome.detectors:
        cells = (written(getattr(judged.figures, n), f) for n, _, f in COLUMNS)
        rows.append([judged.name, *cells, written(judged.rows_per_s, RATE)])
        under = ["", *(between(judged, n, f) for n, _, f in COLUMNS), ""]
        rows += [under] if any(under) else []
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, *cells in rows:
        line = "  ".join(f"{cell:>{width}}" for cell, width in zip(cells, widths[1:], strict=True))
        yield f"{name:<{widths[0]}}  {line}".rstrip()


def _each(outcome: Outcome) -> Iterator[str]:
    told = sorted(
        ((d, f) for d, f in outcome.each if not math.isnan(f.vus_pr)), key=lambda item: item[1].vus_pr
    )
    if not told:
        return
    mean = sum(f.vus_pr for _, f in told) / len(told)
    yield ""
    worst = told[0][1].vus_pr
    yield f"{counted(len(told), 'device')} with events: VUS-PR mean {mean:.3f}, worst {worst:.3f}:"
    for device, figures in told[:WORST]:
        yield (
            f"  {device}: VUS-PR {figures.vus_pr:.3f}, found {written(figures.recall, '.0%')}, "
            f"{written(figures.false_per_day, RATE)} false alarms a day"
        )
    if len(told) > WORST:
        yield f"  and {len(told) - WORST} better ones"


def figures_json(outcome: Outcome) -> dict[str, Any]:
    """Return everything for programs; a figure that could not be measured is null."""
    return {
        "model": outcome.model,
        "data": list(outcome.data),
        "rows": outcome.rows,
        "faulty_rows": outcome.faulty_rows,
        "events": outcome.events,
        "healthy_device_days": outcome.healthy_days,
        "promise": outcome.promise,
        "promised_per_day": outcome.promised_per_day,
        "suppressed_by_budget": outcome.held_back,
        "state_bytes": outcome.state_bytes,
        "seed": outcome.seed,
        "notes": list(outcome.notes),
        "others_learned_from": outcome.learned_from,
        "detectors": [_judged_json(judged) for judged in outcome.detectors],
        "devices": [{"device": d} | _plain(f) for d, f in outcome.each],
    }


def _judged_json(judged: Judged) -> dict[str, Any]:
    return {
        "name": judged.name,
        **_plain(judged.figures),
        "found": judged.count.found,
        "false_alarms": judged.count.false_alarms,
        "rows_per_second": None if math.isnan(judged.rows_per_s) else judged.rows_per_s,
        "intervals": {name: list(between) for name, between in judged.between.items()},
    }


def _plain(figures: Figures) -> dict[str, float | None]:
    return {name: None if math.isnan(v) else float(v) for name, v in asdict(figures).items()}
