"""Evaluating: the work of `bimetal eval`, imported when it is called."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np

from bimetal.cli.eval_page import page
from bimetal.cli.eval_said import Judged, Outcome, figures_json, lines
from bimetal.cli.known import known_of
from bimetal.cli.labelled import Gathered, Truths, gather
from bimetal.cli.opening import open_model
from bimetal.cli.pace import quickest
from bimetal.cli.progress import Progress
from bimetal.cli.saying import note, say
from bimetal.cli.whole import check_place, whole_file
from bimetal.keep.event_line import json_line
from bimetal.learn.calibrate import parse_budget
from bimetal.learn.card import Card, card_of
from bimetal.learn.metric.against import Judge, asked_of
from bimetal.learn.metric.baseline import Opinion, baselines
from bimetal.learn.metric.curve import Scores
from bimetal.learn.metric.figures import count_all, figures_of, intervals
from bimetal.learn.metric.track import Track
from bimetal.nouns.errors import BadInput
from bimetal.program.layout import layout_of
from bimetal.spine import scorer_of
from bimetal.wire.file import open_tables
from bimetal.wire.table.hints import Hints
from bimetal.wire.table.several import Tables
from bimetal.wire.table.shape import LEAST_CALENDAR_NS

OURS = "bimetal"
LEARN = 0.2
"""So much of the data the others learn from, where no history is given."""
DAY_S = 86_400.0
ALARMS = "Train one with bimetal train"


@dataclass(frozen=True, slots=True)
class Wish:
    """What to judge on what, with what beside it, and where to write of it."""

    model: Path
    data: tuple[Path, ...]
    hints: Hints
    events: Path | None
    causes: Path | None
    report: Path | None
    against: str
    history: tuple[Path, ...]
    seed: int


def evaluate(wish: Wish, as_json: bool) -> None:
    """Score the data, judge everything, print figures, and write the page."""
    others = asked_of(wish.against)
    if wish.report is not None:
        check_place(wish.report, [wish.model, *wish.data])
    sealed = open_model(wish.model, str(wish.data[0]))
    card, progress = card_of(sealed.bundle.card), Progress()
    if not card.promise or "alarm" not in dict(sealed.bundle.program.outputs):
        raise BadInput(
            "this model raises no alarms, so there is nothing to judge", where=str(wish.model), hint=ALARMS
        )
    names = [s.name for s in card.signals]
    events, causes = (known_of(path, names) if path else None for path in (wish.events, wish.causes))
    truth = Truths(events, causes)
    tables = open_tables(wish.data, _hints(wish.hints, card), expect=card.signal_list())
    shape = tables.shape
    for words in shape.notes:
        note(words)
    if events is None and shape.label is None:
        raise BadInput(
            "no column tells what was wrong", where=shape.where, hint="Name it with --label, or use --events"
        )
    scorer = scorer_of(sealed.bundle, quickest())
    batches = tables.batches(progress=lambda done, total: progress("scoring", done / max(total, 1)))
    gathered = gather(scorer, batches, truth)
    progress.clear()
    notes = tuple(_notes(gathered, truth, tables, wish, card))
    for words in notes:
        note(words)
    outcome = _judged(wish, card, gathered, others, progress)
    size = layout_of(sealed.bundle.program).state.size
    outcome = replace(outcome, state_bytes=size, notes=notes)
    if wish.report is not None:
        with whole_file(wish.report) as file:
            file.write(page(outcome, gathered))
    if as_json:
        click.echo(json_line(figures_json(outcome)).decode())
        return
    for line in lines(outcome):
        say(line)
    if wish.report is not None:
        say("")
        say(f"The page: {wish.report}")


def _hints(hints: Hints, card: Card) -> Hints:
    return replace(hints, devices=card.devices, columns=card.columns)


def _notes(gathered: Gathered, truth: Truths, tables: Tables, wish: Wish, card: Card) -> Iterator[str]:
    """Refuse what nothing can be said of, and tell what can only be half judged."""
    shape = tables.shape
    where, label = shape.where, shape.label
    if not gathered.rows:
        raise BadInput("there are no rows to judge", where=where)
    yield from tables.tally.troubles()
    times = {d.track.device: d.time_ns for d in gathered.devices}
    yield from truth.check(times)
    if truth.events is None and label is not None:
        yield from tables.label_notes()
        if wish.hints.label is None:
            yield f"{label!r} is taken for the label"
    known = sum(int(((t >= card.first_ns) & (t <= card.last_ns)).sum()) for t in times.values())
    if known and card.first_ns >= LEAST_CALENDAR_NS:
        part = known / max(gathered.rows, 1)
        yield f"the model learned from the time of {part:.0%} of these rows, which flatters it"
    faulty = sum(int(t.labels.sum()) for t in gathered.tracks)
    if faulty == gathered.rows:
        raise BadInput(
            f"{'--events' if truth.events else repr(label)} calls every row faulty",
            where=where,
            hint="Healthy rows have 0, false, normal, ok, healthy or nothing there",
        )
    if not faulty:
        yield "no row is called faulty: only false alarms can be judged"


def _judged(
    wish: Wish, card: Card, gathered: Gathered, others: Mapping[str, Judge], progress: Progress
) -> Outcome:
    promised = parse_budget(card.promise).per_second * DAY_S
    ours = gathered.tracks
    judged = [_measured(OURS, ours, promised, wish.seed, gathered.seconds)]
    history = _history(wish, card)
    rate = promised / DAY_S * float(np.median([t.row_s for t in ours]))
    opinions = _opinions(gathered, history, min(rate, 1.0), wish.seed, others)
    for k, (name, said, seconds) in enumerate(opinions):
        progress(f"judging {name}", (k + 1) / (5 + len(others)))
        tracks = [
            replace(t, score=o.score, alarm=o.alarm, share=o.share) for t, o in zip(ours, said, strict=True)
        ]
        judged.append(_measured(name, tracks, promised, wish.seed, seconds))
    progress.clear()
    counts = count_all(ours)
    return Outcome(
        str(wish.model),
        tuple(map(str, wish.data)),
        card.promise,
        promised,
        gathered.rows,
        counts.hit + counts.missed,
        counts.events,
        sum(t.healthy_days for t in ours),
        gathered.held_back,
        wish.seed,
        tuple(judged),
        tuple((t.device, figures_of([t], promised)) for t in ours) if len(ours) > 1 else (),
        "the history given" if wish.history else f"the first {LEARN:.0%} of the rows of each device",
    )


def _measured(name: str, tracks: Sequence[Track], promised: float, seed: int, seconds: float) -> Judged:
    rows = sum(len(t) for t in tracks)
    return Judged(
        name,
        figures_of(tracks, promised),
        intervals(tracks, promised, seed),
        count_all(tracks),
        rows / seconds if seconds > 0 else float("nan"),
    )


def _history(wish: Wish, card: Card) -> Scores | None:
    if not wish.history:
        return None
    hints = replace(_hints(wish.hints, card), label=None)
    tables = open_tables(wish.history, hints, expect=card.signal_list())
    parts = [b.batch.values if b.labels is None else b.batch.values[~b.labels] for b in tables.batches()]
    return np.concatenate(parts)


def _opinions(
    gathered: Gathered, history: Scores | None, rate: float, seed: int, others: Mapping[str, Judge]
) -> Iterator[tuple[str, list[Opinion], float]]:
    """Yield the name of each other detector, what it says of every device, and how long it took."""
    inputs: list[tuple[Scores, int]] = []
    for device in gathered.devices:
        values = device.values.astype(np.float64)
        learn = max(int(LEARN * len(values)), 1) if history is None else len(history)
        inputs.append((values if history is None else np.concatenate([history, values]), learn))
    simple = [dict(baselines(v, learn, rate, seed + k)) for k, (v, learn) in enumerate(inputs)]
    for name in simple[0]:
        yield name, [_rest(o[name], history) for o in simple], 0.0
    for name, judge in others.items():
        begun = time.monotonic()
        said = [_rest(_muted(judge(_filled(v, n), n, rate, seed), n), history) for v, n in inputs]
        yield name, said, time.monotonic() - begun


def _filled(values: Scores, learn: int) -> Scores:
    """Put the median of what is learned from where a value is missing: others take no gaps."""
    with np.errstate(all="ignore"):
        middle = np.nan_to_num(
            np.nanmedian(np.where(np.isfinite(values[:learn]), values[:learn], np.nan), axis=0)
        )
    return np.where(np.isfinite(values), values, middle)


def _muted(said: Opinion, learn: int) -> Opinion:
    """Raise no alarm on the rows that were learned from."""
    alarm, score = said.alarm.copy(), said.score.copy()
    alarm[:learn], score[:learn] = False, score[:learn].min(initial=0.0)
    return Opinion(score, alarm, said.share)


def _rest(said: Opinion, history: Scores | None) -> Opinion:
    """Leave out the rows of the history."""
    start = 0 if history is None else len(history)
    share = said.share[start:] if said.share is not None else None
    return Opinion(said.score[start:], said.alarm[start:], share)
