"""Teaching: the work of `bimetal train`, imported when it is called."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import click

from bimetal.bundle.seal import HEAD_BYTES
from bimetal.cli.home import keys
from bimetal.cli.progress import Progress
from bimetal.learn.calibrate import parse_budget
from bimetal.program.digest import digest
from bimetal.program.layout import layout_of
from bimetal.spine import Lesson, Taught, Walked, cold
from bimetal.targets.present import fastest
from bimetal.wire.table.hints import Hints


def teach(data: tuple[Path, ...], output: Path, false_alarms: str, as_json: bool, hints: Hints) -> None:
    """Learn, write the model, and report in words and figures."""
    progress = Progress()
    target = fastest()
    began_s = time.monotonic()
    budget = parse_budget(false_alarms)
    try:
        lesson = Lesson(budget, target, keys().signing_key(), time.time_ns())
        walked = cold(data, hints, lesson, output, progress)
    finally:
        progress.clear()
    seconds = time.monotonic() - began_s
    if as_json:
        click.echo(json.dumps(_figures(walked, output, target.name, seconds)))
        return
    for line in [*walked.shape.words(), *walked.tally.words(), *_words(walked.taught, target.name, seconds)]:
        click.echo(line)
    click.echo(f"\nNext: bimetal run {output} {data[0]}")


def _words(taught: Taught, target: str, seconds: float) -> list[str]:
    card, program = taught.learned.card, taught.learned.program
    place = layout_of(program)
    devices = f"{len(card.devices)} device{'s' if len(card.devices) != 1 else ''}"
    return [
        "",
        f"learned from {card.rows:,} rows of {devices} in {seconds:.1f} s, on {target}"
        + (f"; {card.rows_left_out:,} labelled rows left out" if card.rows_left_out else ""),
        f"promise: at most {card.promise} false alarms for each device, {card.promise_words}",
        f"a device needs {place.state.size:,} bytes of state and {place.params.size:,} bytes of parameters",
        f"model: {taught.bytes:,} bytes, signed, with {len(taught.bundle.vectors['runs'])} golden vectors",
    ]


def _figures(walked: Walked, output: Path, target: str, seconds: float) -> dict[str, Any]:
    shape, taught = walked.shape, walked.taught
    card, place = taught.learned.card, layout_of(taught.learned.program)
    return {
        "model": str(output),
        "bytes": taught.bytes,
        "head_bytes": HEAD_BYTES,
        "digest": digest(taught.learned.program).hex(),
        "rows": card.rows,
        "rows_left_out": card.rows_left_out,
        "devices": list(card.devices),
        "signals": [{"name": s.name, "unit": s.unit} for s in card.signals],
        "dropped": [{"name": d.name, "reason": d.reason} for d in shape.dropped],
        "time": shape.time,
        "period_s": card.period_s,
        "promise": card.promise,
        "promise_words": card.promise_words,
        "state_bytes": place.state.size,
        "parameter_bytes": place.params.size,
        "target": target,
        "seconds": round(seconds, 3),
    }
