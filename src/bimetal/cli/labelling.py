"""Labelling: the work of `bimetal feedback`, imported when it is called.

an alarm ── readings around it ── patterns ── card and parameters ── proven, signed, written
"""

from __future__ import annotations

import difflib
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np

from bimetal.bundle.bundle import Bundle
from bimetal.bundle.seal import check_free, write
from bimetal.cli.home import keys
from bimetal.cli.opening import open_model
from bimetal.cli.pace import quickest
from bimetal.cli.querying import instant
from bimetal.cli.saying import say
from bimetal.cli.verdict import Told, described, figures, lines, plain
from bimetal.keep.asked import Asked
from bimetal.keep.event_line import json_line, time_text
from bimetal.keep.event_log import read_events
from bimetal.keep.rows import join, no_rows, pivot, tidy
from bimetal.keep.snapshot import look
from bimetal.learn.card import Card, card_of
from bimetal.learn.feedback import Known, knowing
from bimetal.learn.label import Label, Verdict
from bimetal.learn.limit import restored
from bimetal.learn.looking import LONGEST, Detector, Stretch, around, patterns_at
from bimetal.learn.notice import BY_RUN, Ears
from bimetal.nouns.batch import Batch
from bimetal.nouns.device import FLEET
from bimetal.nouns.errors import BadInput, NotFound
from bimetal.nouns.event import Event, Kind
from bimetal.program.block import unpack
from bimetal.spine import bundle_of
from bimetal.stream.feed import align
from bimetal.wire.file import open_tables
from bimetal.wire.table.hints import Hints

MOST_BESIDE = 16
"""So many other devices are looked at, lest a fault of one raise alarms at the others."""
LONGEST_NAME = 120
MOST_RUN = 50_000
"""A sensor that may be still for longer is not looked at for as long."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for; None: nothing."""

    model: Path
    data: tuple[Path, ...]
    event: str | None
    at: str | None
    owner: str | None
    sensor: str | None
    verdict: str | None
    name: str
    everywhere: bool
    who: str
    undo: int | None
    output: Path | None
    hints: Hints


@dataclass(frozen=True, slots=True)
class Where:
    """Whose alarm, and when; or the notice about which sensors, by the names of their signals."""

    device: str
    time_ns: int
    sensors: tuple[str, ...] = ()


def label(wish: Wish, as_json: bool) -> None:
    """Label an alarm, take a label back, or list them; the model is written whole or not at all."""
    check(wish)
    bundle = open_model(wish.model).bundle
    card = card_of(bundle.card)
    if wish.undo is None and wish.verdict is None:
        _list(card, as_json)
        return
    now_ns = time.time_ns()
    told = (
        withdrawn(bundle, wish.undo, now_ns) if wish.undo is not None else _given(wish, bundle, card, now_ns)
    )
    output = wish.output or wish.model
    check_free(output)
    made = bundle_of(told.known, now_ns, lambda _stage, _part: None)
    write(output, made, keys().signing_key())
    if as_json:
        click.echo(json_line(figures(told)).decode())
        return
    for line in lines(told, str(output)):
        say(line)


def check(wish: Wish) -> None:
    """Raise BadInput for what cannot be meant."""
    if wish.undo is not None and (wish.verdict or wish.event or wish.at):
        raise BadInput("a label is either given or taken back", hint="Leave out --undo, or everything else")
    if wish.undo is None and wish.verdict is None and (wish.event or wish.at):
        raise BadInput("nothing was said of the alarm", hint="Add --not-a-fault or --fault")
    if wish.verdict and not (wish.data and (wish.event or wish.at)):
        raise BadInput(
            "which alarm is meant was not said",
            hint="Add --data FOLDER --event ID, or --data TABLE --at TIME",
        )
    if wish.sensor is not None and not (wish.verdict and wish.at):
        raise BadInput("a sensor is named for a notice at a time", hint="Add --at TIME and a verdict")
    if len(wish.name) > LONGEST_NAME or not wish.name.isprintable():
        raise BadInput(f"a name has at most {LONGEST_NAME} printable characters")


def given(
    bundle: Bundle, where: Where, said: tuple[Verdict, str, str, bool], seen: Sequence[Stretch], now_ns: int
) -> Told:
    """Let a model know what was said of an alarm: verdict, name, who, everywhere; `seen`: readings around it.

    Raises BadInput where there was no such alarm.
    """
    card = card_of(bundle.card)
    verdict, name, who, everywhere = said
    values = _values(bundle)
    inputs = [s.input for s in card.signals]
    detector = Detector(bundle.program, values, inputs, quickest())
    nothing = Stretch(where.device, np.empty(0, np.int64), np.empty((0, len(inputs))))
    mine = next((s for s in seen if s.device == where.device), nothing)
    number = max((x.number for x in card.labels), default=0) + 1
    fresh = Label(number, verdict, name, where.device, where.time_ns, now_ns, who, everywhere, ())
    if where.sensors:
        return _noticed(bundle, card, replace(fresh, sensors=where.sensors), Ears(detector, mine))
    beside = [s for s in seen if s.device != where.device][:MOST_BESIDE] if everywhere else []
    fresh = replace(fresh, patterns=patterns_at(detector, mine, beside, where.time_ns, verdict))
    known = _known(bundle, [*card.labels, fresh])
    after = replace(detector, program=known.program, values=known.values)
    return Told(fresh, known, detector.alarms(mine), after.alarms(mine))


def _noticed(bundle: Bundle, card: Card, fresh: Label, ears: Ears) -> Told:
    """Let a model know what was said of a notice about sensors."""
    names = [s.name for s in card.signals]
    heard = [ears.notice_at(places_of(names, [s])[0], fresh.time_ns, s) for s in fresh.sensors]
    wanted = [x for one in heard for x in ears.limits(one, names[one.place], fresh.verdict)]
    before = restored(ears.detector.values, card.labels)
    whose = before if fresh.everywhere else {fresh.device: before.get(fresh.device, before[FLEET])}
    limits = [
        replace(x, was={device: float(mine[x.param][x.place]) for device, mine in whose.items()})
        for x in wanted
    ]
    fresh = replace(fresh, limits=tuple(limits))
    known = _known(bundle, [*card.labels, fresh])
    after = known.values.get(fresh.device, known.values[FLEET])
    counts = [sum(ears.count(one, values) for one in heard) for values in (None, dict(after))]
    return Told(fresh, known, *counts)


def places_of(names: Sequence[str], sensors: Sequence[str]) -> list[int]:
    """Return the places of signals by their names; raises NotFound for one that the model has not."""
    for sensor in sensors:
        if sensor not in names:
            near = difflib.get_close_matches(sensor, names, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(names[:8])}"
            raise NotFound(f"the model has no signal {sensor[:64]!a}", hint=hint)
    return [names.index(sensor) for sensor in sensors]


def reach_of(bundle: Bundle, where: Where) -> tuple[int, int]:
    """Return from when to when readings around an alarm or a notice are looked at."""
    card, rows = card_of(bundle.card), LONGEST
    if where.sensors:
        mine = unpack(bundle.program, bundle.block_of(where.device))
        for place in places_of([s.name for s in card.signals], where.sensors):
            runs = [int(mine[param][place]) for param in BY_RUN.values() if param in mine]
            rows = max(rows, *(2 * run for run in runs if run <= MOST_RUN))
    return around(where.time_ns, card.period_s, rows)


def withdrawn(bundle: Bundle, number: int, now_ns: int) -> Told:
    """Take a label back; raises NotFound for one that there is none of."""
    labels = card_of(bundle.card).labels
    found = next((x for x in labels if x.number == number and x.withdrawn_ns is None), None)
    if found is None:
        there = ", ".join(str(x.number) for x in labels if x.withdrawn_ns is None)
        raise NotFound(f"no label {number} is in force", hint=f"There are: {there or 'none'}")
    gone = replace(found, withdrawn_ns=now_ns)
    return Told(gone, _known(bundle, [gone if x is found else x for x in labels]))


def _known(bundle: Bundle, labels: Sequence[Label]) -> Known:
    return knowing(bundle.program, _values(bundle), card_of(bundle.card), labels)


def _values(bundle: Bundle) -> dict[str, Any]:
    return {device: unpack(bundle.program, block) for device, block in bundle.blocks.items()}


def stretches_of(batch: Batch, card: Card) -> Iterator[Stretch]:
    """Yield the readings of each device in the order of time."""
    values = align(batch, [s.name for s in card.signals])
    for k, device in enumerate(batch.devices):
        rows = batch.rows_of(k)
        if len(rows):
            rows = rows[np.argsort(batch.time_ns[rows], kind="stable")]
            yield Stretch(device, batch.time_ns[rows], values[rows])


def _given(wish: Wish, bundle: Bundle, card: Card, now_ns: int) -> Told:
    where = _where(wish)
    since_ns, until_ns = reach_of(bundle, where)
    if wish.data[0].is_dir():
        seen = list(stretches_of(_kept(wish.data[0], Asked(None, None, since_ns, until_ns)), card))
    else:
        hints = replace(wish.hints, devices=card.devices, columns=card.columns)
        seen = list(_read(wish.data, hints, card, since_ns, until_ns))
    if not where.device:
        if len(seen) > 1:
            names = ", ".join(s.device for s in seen[:8])
            raise BadInput("whose alarm is meant was not said", hint=f"Add --of DEVICE, one of: {names}")
        where = replace(where, device=seen[0].device if seen else FLEET)
    said = (Verdict(wish.verdict or ""), wish.name, wish.who, wish.everywhere)
    return given(bundle, where, said, seen, now_ns)


def _where(wish: Wish) -> Where:
    if wish.event is None:
        return Where(wish.owner or "", instant(wish.at or ""), (wish.sensor,) if wish.sensor else ())
    if not wish.data[0].is_dir():
        raise BadInput("only a folder of what is kept has events with ids", hint="Use --at TIME")
    told = read_events(wish.data[0] / "events").events
    found = next((e for e in told if e.id == wish.event), None)
    if found is None:
        raise NotFound(f"no event has the id {wish.event[:60]!a}", where=str(wish.data[0]))
    return where_of(found)


def where_of(event: Event) -> Where:
    """Return what an event is about; raises BadInput for what is neither an alarm nor about a sensor."""
    if event.kind not in (Kind.ALARM, Kind.QUALITY):
        raise BadInput("only an alarm or a notice about a sensor can be judged")
    sensors = tuple(r.signal for r in event.reasons if r.share > 0) if event.kind is Kind.QUALITY else ()
    return Where(event.device, event.time_ns, sensors)


def _kept(folder: Path, asked: Asked) -> Batch:
    with look(folder, asked) as there:
        parts = [file.rows(held, asked.since_ns, asked.until_ns) for file, held in there.opened.parts]
        rows = tidy(join([no_rows(), *parts, there.waiting]))
        meant = {s.name: s for s in there.signals}
        return pivot(rows, [meant[name] for name in sorted({s for _, s in rows.series}) if name in meant])


def _read(data: Sequence[Path], hints: Hints, card: Card, since_ns: int, until_ns: int) -> Iterable[Stretch]:
    found: dict[str, list[Stretch]] = {}
    for rows in open_tables(data, hints, expect=card.signal_list()).batches():
        batch = rows.batch
        near = np.flatnonzero((batch.time_ns >= since_ns) & (batch.time_ns < until_ns))
        part = Batch(
            batch.devices, batch.signals, batch.time_ns[near], batch.device[near], batch.values[near]
        )
        for one in stretches_of(part, card):
            found.setdefault(one.device, []).append(one)
    for device, parts in found.items():
        time_ns, values = (
            np.concatenate([p.time_ns for p in parts]),
            np.concatenate([p.values for p in parts]),
        )
        yield Stretch(device, time_ns, values)


def _list(card: Card, as_json: bool) -> None:
    if as_json:
        click.echo(json_line([plain(x) for x in card.labels]).decode())
        return
    for one in card.labels:
        gone = "" if one.withdrawn_ns is None else f"; taken back at {time_text(one.withdrawn_ns)}"
        say(f"{described(one)}{gone}.")
    if not card.labels:
        say("Nothing was said of any alarm yet.")
