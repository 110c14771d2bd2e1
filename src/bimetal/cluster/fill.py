"""Fill: a model on what was kept, shard by shard; what was begun and killed goes on where it was.

A shard's rows are read in stretches of time, in order, and run as parcels. What was said of each stretch
is one file, put in place whole, and then the state: so a shard that is begun again, on whatever machine,
goes on after the last stretch it finished, and writes the same bytes. That is all an engine is needed
for: to have a process somewhere run every shard to its end. Its own retries of calls need not keep order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bimetal.cluster.pool import OnRay
from bimetal.keep.asked import Asked
from bimetal.keep.disk import make_folder, sweep_unfinished, write_whole
from bimetal.keep.rows import join, no_rows, pivot, tidy
from bimetal.keep.snapshot import look
from bimetal.nouns.batch import Batch
from bimetal.nouns.errors import BadInput, NotFound
from bimetal.nouns.signal import Signal
from bimetal.stream.parcel import Outcome, Parcel, outcome_bytes, outcomes_of
from bimetal.stream.shard import SHARDS, shard_of
from bimetal.stream.shard_run import ShardRun

STRETCH_NS = 3_600_000_000_000
_STATE = "state"
_DONE = "done"


@dataclass(frozen=True, slots=True)
class Fill:
    """What is to be scored: readings of the folder `data` with since <= time < until, into `output`.

    Both must be the same for every process that takes part: on one machine, or on a shared file system.
    """

    data: Path
    output: Path
    since_ns: int
    until_ns: int
    shards: int = SHARDS
    stretch_ns: int = STRETCH_NS

    def __post_init__(self) -> None:
        if not self.since_ns < self.until_ns:
            raise BadInput("the time to be scored ends before it begins")
        if self.stretch_ns <= 0:
            raise BadInput("a stretch of time must be longer than nothing")


def devices_by_shard(fill: Fill) -> dict[int, tuple[str, ...]]:
    """Return the devices that were kept in the time asked for, by shard; raises as `look`."""
    with look(fill.data, Asked(None, None, fill.since_ns, fill.until_ns)) as snapshot:
        sealed = {h.device for _, held in snapshot.opened.parts for h in held}
        names = sealed | {device for device, _ in snapshot.waiting.series}
    found: dict[int, list[str]] = {}
    for device in sorted(names - set(snapshot.erasing)):
        found.setdefault(shard_of(device, fill.shards), []).append(device)
    return {shard: tuple(its) for shard, its in sorted(found.items())}


def fill_shard(run: ShardRun, fill: Fill, shard: int, devices: Sequence[str]) -> int:
    """Run one shard to its end, from where it was left; returns how many rows were scored this time.

    Raises as `look`, BadInput when the output is of another model, and what the file system refuses.
    """
    folder = fill.output / f"{shard}"
    make_folder(folder)
    sweep_unfinished(folder)
    state, said = folder / _STATE, 0
    reached = run.open(state.read_bytes() if state.exists() else b"", str(state))
    if (folder / _DONE).exists():
        return 0
    for sequence, parcel in _parcels(run, fill, devices, reached.sequence):
        reached, outcome = run.push(reached, sequence, parcel)
        if not outcome.silent:
            write_whole(folder / f"{sequence:08}.said", outcome_bytes([outcome]))
        write_whole(state, run.close(reached))
        said += len(outcome)
    write_whole(folder / _DONE, b"")
    return said


def read_filled(output: Path) -> Iterator[tuple[int, Outcome]]:
    """Yield what was said, shard by shard, in order; raises NotFound for a shard that was not finished."""
    folders = sorted((f for f in output.iterdir() if f.name.isdigit()), key=lambda f: int(f.name))
    for folder in folders:
        if not (folder / _DONE).exists():
            raise NotFound(
                "this shard was not finished", where=str(folder), hint="Run the same command again"
            )
        for path in sorted(folder.glob("*.said")):
            for outcome in outcomes_of(path.read_bytes(), str(path)):
                yield int(folder.name), outcome


def alone(work: Callable[[int, tuple[str, ...]], int], parts: dict[int, tuple[str, ...]]) -> int:
    """Run every shard in this process; returns the sum of what they return."""
    return sum(work(shard, devices) for shard, devices in parts.items())


def on_ray(
    work: Callable[[int, tuple[str, ...]], int], parts: dict[int, tuple[str, ...]], address: str = ""
) -> int:
    """Run every shard somewhere on a Ray cluster (`address`, else this machine); returns the sum.

    A shard whose process died is begun again, as often as that takes. Raises as OnRay.each.
    """

    def one(part: tuple[int, tuple[str, ...]]) -> int:
        return work(*part)

    return sum(said for _, said in OnRay(address).each(one, list(parts.items())))


def _parcels(run: ShardRun, fill: Fill, devices: Sequence[str], after: int) -> Iterator[tuple[int, Parcel]]:
    """Yield the stretches with rows after a number, then one without rows that lets the last ones through."""
    number = 0
    for since in range(fill.since_ns, fill.until_ns, fill.stretch_ns):
        number += 1
        until = min(since + fill.stretch_ns, fill.until_ns)
        if number > after:
            batch = _kept(fill.data, devices, run.reorder.signals, since, until)
            if len(batch):
                yield number, Parcel(until, batch)
    if number + 1 > after:
        nothing = pivot(no_rows(), run.reorder.signals)
        yield number + 1, Parcel(fill.until_ns + run.reorder.wait_ns, nothing)


def _kept(folder: Path, devices: Sequence[str], signals: Sequence[Signal], since: int, until: int) -> Batch:
    asked = Asked(tuple(devices), tuple(s.name for s in signals), since, until)
    with look(folder, asked) as snapshot:
        sealed = [file.rows(held, since, until) for file, held in snapshot.opened.parts]
        return pivot(tidy(join([no_rows(), *sealed, snapshot.waiting])), signals)
