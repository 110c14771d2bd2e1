"""Labelling: the work of `bimetal feedback`, imported when it is called.

an alarm ── readings around it ── patterns ── card and parameters ── proven, signed, written
"""

from __future__ import annotations

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
from bimetal.keep.asked import Asked
from bimetal.keep.event_line import json_line, time_text
from bimetal.keep.event_log import read_events
from bimetal.keep.rows import join, no_rows, pivot, tidy
from bimetal.keep.snapshot import look
from bimetal.learn.card import Card, card_of
from bimetal.learn.feedback import Known, knowing, room_of
from bimetal.learn.label import Label, Verdict
from bimetal.learn.looking import Detector, Stretch, around, patterns_at
from bimetal.nouns.batch import Batch
from bimetal.nouns.device import FLEET
from bimetal.nouns.errors import BadInput, NotFound
from bimetal.program.block import unpack
from bimetal.spine import bundle_of
from bimetal.stream.feed import align
from bimetal.wire.file import open_tables
from bimetal.wire.table.hints import Hints
from bimetal.wire.table.shape import counted

MOST_BESIDE = 16
"""So many other devices are looked at, lest a fault of one raise alarms at the others."""
LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for; None: nothing."""

    model: Path
    data: tuple[Path, ...]
    event: str | None
    at: str | None
    owner: str | None
    verdict: str | None
    name: str
    everywhere: bool
    who: str
    undo: int | None
    output: Path | None
    hints: Hints


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a label: the label, the model that knows it, and alarms before and after, where seen."""

    label: Label
    known: Known
    before: int | None = None
    after: int | None = None


@dataclass(frozen=True, slots=True)
class Where:
    """Whose alarm, and when."""

    device: str
    time_ns: int


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
    beside = [s for s in seen if s.device != where.device][:MOST_BESIDE] if everywhere else []
    patterns = patterns_at(detector, mine, beside, where.time_ns, verdict)
    number = max((x.number for x in card.labels), default=0) + 1
    fresh = Label(number, verdict, name, where.device, where.time_ns, now_ns, who, everywhere, patterns)
    known = _known(bundle, [*card.labels, fresh])
    after = replace(detector, program=known.program, values=known.values)
    return Told(fresh, known, detector.alarms(mine), after.alarms(mine))


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
    since_ns, until_ns = around(where.time_ns, card.period_s)
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
        return Where(wish.owner or "", instant(wish.at or ""))
    if not wish.data[0].is_dir():
        raise BadInput("only a folder of what is kept has events with ids", hint="Use --at TIME")
    told = read_events(wish.data[0] / "events").events
    found = next((e for e in told if e.id == wish.event), None)
    if found is None:
        raise NotFound(f"no event has the id {wish.event[:60]!a}", where=str(wish.data[0]))
    return Where(found.device, found.time_ns)


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


def lines(told: Told, where: str) -> Iterator[str]:
    """Say what came of it."""
    said, known = told.label, told.known
    if said.withdrawn_ns is not None:
        yield f"Taken back: {described(said)}."
    else:
        yield f"{described(said)}."
        silent = f"its like is silent up to a score of {said.patterns[0].most:.2f}"
        gain = max(p.gain for p in said.patterns)
        louder = (
            f"its like counts {gain:.2f} times" if gain > 1 else "its like is told by name, but no sooner"
        )
        effect = silent if said.verdict is Verdict.NOT_A_FAULT else louder
        yield f"{counted(len(said.patterns), 'pattern')}: {effect}."
    if told.before is not None:
        yield f"In the readings around it: {counted(told.before, 'alarm')} before, {told.after} now."
    room = room_of(known.program)
    yield (
        f"{where}: the program was built anew, with room for {room} patterns: devices need it whole."
        if known.rebuilt
        else f"{where}: the program is the same; devices need new parameters alone."
    )


def described(said: Label) -> str:
    """Say what somebody said, in one sentence without its end."""
    name = f" ({said.name!r})" if said.name else ""
    whose = "every device" if said.everywhere else said.device or "its device"
    by = f", says {said.who}" if said.who else ""
    when = time_text(said.time_ns)
    return f"Label {said.number}: the alarm of {when} was {_called(said)}{name}, for {whose}{by}"


def _called(said: Label) -> str:
    return "a fault" if said.verdict is Verdict.FAULT else "not a fault"


def figures(told: Told) -> dict[str, Any]:
    """Return what came of it, for programs."""
    return {
        **plain(told.label),
        "alarms_before": told.before,
        "alarms_after": told.after,
        "rebuilt": told.known.rebuilt,
        "room": room_of(told.known.program),
    }


def plain(said: Label) -> dict[str, Any]:
    """Return a label without its patterns, for programs."""
    return {
        "number": said.number,
        "verdict": said.verdict.value,
        "name": said.name,
        "device": said.device,
        "time": time_text(said.time_ns),
        "given": time_text(said.given_ns),
        "who": said.who,
        "everywhere": said.everywhere,
        "patterns": len(said.patterns),
        "withdrawn": None if said.withdrawn_ns is None else time_text(said.withdrawn_ns),
    }


def _list(card: Card, as_json: bool) -> None:
    if as_json:
        click.echo(json_line([plain(x) for x in card.labels]).decode())
        return
    for one in card.labels:
        gone = "" if one.withdrawn_ns is None else f"; taken back at {time_text(one.withdrawn_ns)}"
        say(f"{described(one)}{gone}.")
    if not card.labels:
        say("Nothing was said of any alarm yet.")
