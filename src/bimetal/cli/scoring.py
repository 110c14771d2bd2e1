"""Scoring: the work of `bimetal run`, imported when it is called."""

from __future__ import annotations

import contextlib
import csv
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np

from bimetal.bundle.bundle import Bundle
from bimetal.bundle.seal import read
from bimetal.cli.home import keys
from bimetal.cli.progress import Progress
from bimetal.cli.whole import whole_file
from bimetal.keep.event_line import time_text, to_line
from bimetal.learn.card import card_of
from bimetal.nouns.event import Event
from bimetal.spine import replay, scorer_of
from bimetal.stream.scorer import Scored
from bimetal.targets.present import fastest
from bimetal.trust.key import fingerprint
from bimetal.wire.file import open_table
from bimetal.wire.live import stream_table
from bimetal.wire.table.hints import Hints
from bimetal.wire.table.stretch import TableBatch


def score(model: Path, data: str, scores: Path | None, as_json: bool, hints: Hints) -> None:
    """Score a file or standard input, print its events, and say at the end how fast it went."""
    bundle = _opened(model)
    progress = Progress()
    began_s = time.monotonic()
    rows = events = 0
    batches = _batches(data, hints, bundle, progress)
    with contextlib.ExitStack() as stack:
        table = csv.writer(stack.enter_context(whole_file(scores))) if scores else None
        if table:
            table.writerow(["row", "time", "device", "score", "alarm"])
        for taken, scored in replay(scorer_of(bundle, fastest()), batches):
            if table:
                table.writerows(_score_rows(taken, scored))
            for event in scored.events:
                progress.clear()
                _print(event, as_json)
            rows, events = rows + len(taken), events + len(scored.events)
    progress.clear()
    seconds = max(time.monotonic() - began_s, 1e-9)
    click.echo(f"{rows:,} rows, {events:,} events, {rows / seconds:,.0f} rows a second.", err=True)


def _opened(model: Path) -> Bundle:
    sealed = read(model)
    if not keys().name_of(sealed.signer):
        click.echo(
            f"Note: the model is signed by {fingerprint(sealed.signer)}, a key not known here.", err=True
        )
    return sealed.bundle


def _batches(data: str, hints: Hints, bundle: Bundle, progress: Progress) -> Iterator[TableBatch]:
    expect = card_of(bundle.card).signal_list()
    if data == "-":
        yield from stream_table(sys.stdin.buffer, hints, expect, _poison)
        return
    table = open_table(data, hints, expect=expect)
    for note in table.shape.notes:
        click.echo(f"Note: {note}", err=True)
    yield from table.batches(progress=lambda done, total: progress("scoring", done / max(total, 1)))


def _poison(line: int, reason: str) -> None:
    click.echo(f"standard input, line {line}: {reason}.", err=True)


def _score_rows(taken: TableBatch, scored: Scored) -> Iterator[tuple[object, ...]]:
    score = np.nan_to_num(scored.score, nan=0.0).tolist()
    devices: list[str] = [taken.batch.devices[k] for k in taken.batch.device.tolist()]
    return zip(
        taken.row_numbers.tolist(),
        taken.time_text.tolist(),
        devices,
        score,
        scored.alarm.astype(int).tolist(),
        strict=True,
    )


def _print(event: Event, as_json: bool) -> None:
    if as_json:
        click.echo(to_line(event).decode())
    else:
        click.echo(f"{time_text(event.time_ns)}  {event.kind.value:<8} {event.score:6.2f}  {event.sentence}")
    sys.stdout.flush()
