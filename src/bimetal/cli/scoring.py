"""Scoring: the work of `bimetal run`, imported when it is called."""

from __future__ import annotations

import csv
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TextIO

import click
import numpy as np

from bimetal.cli.opening import open_model
from bimetal.cli.pace import quickest
from bimetal.cli.progress import Progress
from bimetal.cli.saying import note, shown, when
from bimetal.cli.whole import check_place, open_file, whole_file
from bimetal.keep.event_line import to_line
from bimetal.learn.card import Card, card_of
from bimetal.nouns.errors import BadInput
from bimetal.nouns.event import Event, Kind
from bimetal.spine import replay, scorer_of
from bimetal.stream.scorer import Scored
from bimetal.wire.file import open_table
from bimetal.wire.live import stream_table
from bimetal.wire.table.hints import Hints
from bimetal.wire.table.shape import counted, length
from bimetal.wire.table.stretch import TableBatch

LIVE = "-"
MOST_POISON = 10
"""So many unreadable lines of a stream are told one by one, later ones only now and then."""


def score(model: Path, data: str, scores: Path | None, as_json: bool, hints: Hints) -> None:
    """Score a file or standard input, print its events, and say at the end what that came to."""
    bundle = open_model(model, data).bundle
    card = card_of(bundle.card)
    if "alarm" not in dict(bundle.program.outputs):
        told = ", ".join(name for name, _ in bundle.program.outputs)
        raise BadInput(
            f"this model raises no alarms: it gives {told}", where=str(model), hint="Try: bimetal build"
        )
    progress, seen = Progress(), _Seen()
    with _opened(scores, data, model) as file:
        table = csv.writer(file) if file else None
        if table:
            table.writerow(["row", "time", "device", "score", "alarm"])
        hints = replace(hints, devices=card.devices, columns=card.columns)
        batches = _batches(data, hints, card, progress)
        try:
            for taken, scored in replay(scorer_of(bundle, quickest()), batches):
                if table and file:
                    table.writerows(_score_rows(taken, scored))
                    if data == LIVE:
                        file.flush()
                for event in scored.events:
                    progress.clear()
                    _print(event, as_json)
                seen.add(taken, scored)
        except KeyboardInterrupt:
            if data == LIVE:  # the usual way to end a stream
                click.echo(f"\n{seen.words()}", err=True)
            raise
    progress.clear()
    click.echo(seen.words(), err=True)


def _opened(
    scores: Path | None, data: str, model: Path
) -> AbstractContextManager[TextIO] | AbstractContextManager[None]:
    """Open the file of scores: whole at the end, or line by line from a stream, which may have no end."""
    if scores is None:
        return nullcontext()
    check_place(scores, [model, *([Path(data)] if data != LIVE else [])])
    return open_file(scores) if data == LIVE else whole_file(scores)


def _batches(data: str, hints: Hints, card: Card, progress: Progress) -> Iterator[TableBatch]:
    expect = card.signal_list()
    if data == LIVE:
        poison = _Poison()
        yield from stream_table(sys.stdin.buffer, hints, expect, poison.tell, note)
        poison.end()
        return
    table = open_table(data, hints, expect=expect)
    shape = table.shape
    for words in (*shape.notes, *(() if shape.time else (shape.time_said,))):
        note(words)
    yield from table.batches(progress=lambda done, total: progress("scoring", done / max(total, 1)))
    progress.clear()
    for words in table.tally.troubles():
        note(words)


@dataclass(slots=True)
class _Poison:
    """Lines of a stream that could not be read whole, told without flooding whoever looks on."""

    count: int = 0

    def tell(self, line: int, reason: str) -> None:
        """Tell of a line, unless there were many."""
        self.count += 1
        if self.count <= MOST_POISON or not self.count % 1000:
            click.echo(shown(f"standard input, line {line:,}: {reason}."), err=True)

    def end(self) -> None:
        """Say how many there were, where not all were told."""
        if self.count > MOST_POISON:
            note(f"{self.count:,} cells or lines of standard input could not be read")


@dataclass(slots=True)
class _Seen:
    """What went by, for the last line."""

    began_s: float = field(default_factory=time.monotonic)
    rows: int = 0
    kinds: Counter[Kind] = field(default_factory=Counter[Kind])
    devices: int = 0
    held_back: dict[int, int] = field(default_factory=dict[int, int])
    first_ns: int | None = None
    last_ns: int = 0

    def add(self, taken: TableBatch, scored: Scored) -> None:
        """Count a batch."""
        self.rows += len(taken)
        self.kinds.update(event.kind for event in scored.events)
        self.devices = len(taken.batch.devices)
        if "held_back" in (scored.outputs.dtype.names or ()):
            held = scored.outputs["held_back"].tolist()
            self.held_back |= dict(zip(taken.batch.device.tolist(), held, strict=True))
        if len(taken):
            first, last = int(taken.batch.time_ns.min()), int(taken.batch.time_ns.max())
            self.first_ns = first if self.first_ns is None else min(self.first_ns, first)
            self.last_ns = max(self.last_ns, last)

    def words(self) -> str:
        """Say what it came to."""
        seconds = max(time.monotonic() - self.began_s, 1e-9)
        devices = f" of {counted(self.devices, 'device')}" if self.devices > 1 else ""
        lasted_s = (self.last_ns - (self.first_ns or 0)) / 1e9
        lasting = f" over {length(lasted_s)}" if lasted_s > 0 else ""
        alarms = counted(self.kinds[Kind.ALARM], "alarm")
        faults = counted(self.kinds[Kind.QUALITY], "sensor fault")
        if self.kinds[Kind.DRIFT]:
            faults += f"; what is usual has changed: {counted(self.kinds[Kind.DRIFT], 'time')}"
        suppressed = sum(self.held_back.values())
        held = f"suppressed by the budget: {counted(suppressed, 'alarm')}; " if suppressed else ""
        return (
            f"{counted(self.rows, 'row')}{devices}{lasting}: {alarms}, {faults}; {held}"
            f"{self.rows / seconds:,.0f} rows a second."
        )


def _score_rows(taken: TableBatch, scored: Scored) -> Iterator[tuple[object, ...]]:
    score = np.nan_to_num(scored.score, nan=0.0).tolist()
    devices: list[str] = [taken.batch.devices[k] for k in taken.batch.device.tolist()]
    return zip(
        taken.row_numbers.tolist(),
        taken.time_text.tolist(),
        devices,
        [f"{value:.9g}" for value in score],
        scored.alarm.astype(int).tolist(),
        strict=True,
    )


def _print(event: Event, as_json: bool) -> None:
    if as_json:
        click.echo(to_line(event).decode())
        return
    begins = f"{when(event.time_ns):<20}  {event.kind.value:<7}  {event.score:5.2f}"
    click.echo(f"{begins}  {shown(event.sentence)}")
