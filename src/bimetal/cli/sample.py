"""`bimetal sample`: a CSV of machines with faults, to try things on."""

from __future__ import annotations

import csv
import json
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import numpy as np

from bimetal.cli.command import Command, as_json
from bimetal.cli.saying import say
from bimetal.cli.whole import check_place, whole_file
from bimetal.nouns.batch import Batch
from bimetal.nouns.errors import BadInput
from bimetal.packs.machine.simulator import simulate
from bimetal.packs.truth import Truth
from bimetal.wire.table.shape import counted

FIRST, LAST = ("time", "machine"), "fault"
EPOCH_NS = 1_767_225_600_000_000_000
"""2026-01-01 00:00 UTC: a fixed beginning, so that the same seed gives the same file."""


@click.command(cls=Command, examples=("bimetal sample -o plant.csv",))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The CSV file to write.")
@click.option(
    "--machines", type=click.IntRange(1, 1000), default=4, show_default=True, help="How many machines."
)
@click.option(
    "--seconds", type=click.FloatRange(30, 86_400), default=600, show_default=True, help="How long."
)
@click.option("--rate", type=click.FloatRange(0.1, 100), default=10, show_default=True, help="Rows a second.")
@click.option("--scenario", default="faults", show_default=True, help="What happens; healthy: nothing.")
@click.option("--seed", type=click.IntRange(0, 2**31), default=0, show_default=True, help="Another plant.")
@as_json()
def command(
    output: Path, machines: int, seconds: float, rate: float, scenario: str, seed: int, as_json: bool
) -> None:
    """Write a CSV of simulated machines: healthy for the first half, with faults in the second.

    The column `fault` is 1 while a machine has one; training leaves such rows out.
    """
    check_place(output)
    if output.is_file() and not _is_sample(output):
        raise BadInput(
            "there is a file of that name, which is no sample, and it is left as it is",
            where=str(output),
            hint="Name another file",
        )
    batch, truth = simulate(scenario, machines, seconds, rate, seed, start_ns=EPOCH_NS)
    with whole_file(output) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*FIRST, *(f"{s.name} ({s.unit})" for s in batch.signals), LAST])
        writer.writerows(_rows(batch, truth))
    faults = [{"machine": t.device, "kind": t.kind, "start_s": (t.start_ns - EPOCH_NS) / 1e9} for t in truth]
    if as_json:
        click.echo(json.dumps({"file": str(output), "rows": len(batch), "faults": faults}))
        return
    plant = f"{counted(len(batch), 'row')} of {counted(machines, 'machine')}"
    say(f"{output}: {plant}, {counted(len(truth), 'fault')}.")
    say(f"Next: {shlex.join(['bimetal', 'train', str(output), '-o', f'{output.stem}.bm'])}")


def _is_sample(path: Path) -> bool:
    """Whether a file begins as this command begins one, or is empty."""
    with path.open("rb") as file:
        first = file.readline(1000).decode("utf-8", "replace").strip().split(",")
    return first == [""] or (tuple(first[: len(FIRST)]) == FIRST and first[-1] == LAST)


def _rows(batch: Batch, truth: Sequence[Truth]) -> Iterator[list[object]]:
    fault = np.zeros(len(batch), np.int64)
    for t in truth:
        its = batch.device == batch.devices.index(t.device)
        fault |= its & (batch.time_ns >= t.start_ns) & (batch.time_ns < t.settled_ns)
    times = np.datetime_as_string(batch.time_ns.astype("datetime64[ns]"), unit="ms")
    for time, device, values, bad in zip(
        times, batch.device, batch.values.tolist(), fault.tolist(), strict=True
    ):
        yield [f"{time}Z", batch.devices[device], *values, bad]
