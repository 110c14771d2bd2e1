"""What a fleet on JetStream costs: readings a CPU-second of workers, servers, feeder; one worker and two.

Run: python -m bench.cluster [--devices 6400] [--signals 3] [--rows 10] [--parcels 40] [--replicas 1]
Every process is on this machine. The default detector runs on every device; the log is filled first, then
the workers are started and timed from the first row they store to the last.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bimetal.cli.pace import quickest
from bimetal.cluster.bridge import Bridge
from bimetal.cluster.jet import Jet, connect
from bimetal.cluster.name import Fleet
from bimetal.cluster.worker import Worker
from bimetal.learn.detector import Design, detector_program
from bimetal.nouns import Batch, Event, Signal
from bimetal.program.block import pack
from bimetal.stream.checkpoint import key_of
from bimetal.stream.feed import feed_of
from bimetal.stream.late import Reorder
from bimetal.stream.parcel import Parcel, outcomes_of
from bimetal.stream.scorer import Scorer
from bimetal.stream.shard_run import ShardRun
from tests.cluster.engine import ROOT, environment, servers

SECOND = 1_000_000_000
START = 1_767_225_600 * SECOND


def run_of(signals: int) -> ShardRun:
    """Return the default detector, with a threshold that nothing reaches."""
    names = tuple(f"x{k}" for k in range(signals))
    program, draft = detector_program(Design(signals), names)
    block = pack(program, draft.values | {"threshold": np.array(1e6)})
    running = quickest().load(program, block)
    scorer = Scorer(program, feed_of(program, names), lambda _: running, _nothing)
    reorder = Reorder(tuple(Signal(name) for name in names), period_ns=SECOND)
    return ShardRun("bench", reorder, scorer, key_of(program, {"": block}, names))


def _nothing(*_: object) -> Event:
    raise AssertionError("nothing was to be told")


def batches(devices: int, signals: int, rows: int, count: int) -> Iterator[Batch]:
    """Yield what a fleet sends: so many rows of each device, one a second."""
    rng = np.random.default_rng(7)
    names = tuple(f"machine-{k}" for k in range(devices))
    known = tuple(Signal(f"x{k}") for k in range(signals))
    device = np.repeat(np.arange(devices, dtype=np.int32), rows)
    for turn in range(count):
        times = np.tile(START + (turn * rows + np.arange(rows)) * SECOND, devices)
        yield Batch(names, known, times.astype(np.int64), device, rng.normal(size=(len(times), signals)))


def cpu_of(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    parts = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


async def fill(urls: list[str], fleet: Fleet, asked: argparse.Namespace) -> tuple[int, float, float]:
    """Put everything into the log; returns the readings, and the feeder's wall and CPU seconds."""
    jet = await connect(urls)
    bridge = Bridge("feeder", jet, fleet)
    await bridge.start()
    readings, wall, cpu = 0, 0.0, 0.0
    for batch in batches(asked.devices, asked.signals, asked.rows, asked.parcels):
        begun, used = time.perf_counter(), time.process_time()
        await bridge.send(batch, int(batch.time_ns[-1]))
        wall, cpu = wall + time.perf_counter() - begun, cpu + time.process_time() - used
        readings += batch.values.size
    await jet.wire.close()
    return readings, wall, cpu


async def reached(jet: Jet, fleet: Fleet) -> int:
    """How many shards have said something of their last parcel."""
    names, done = fleet.of("bench"), 0
    for shard in range(fleet.shards):
        last = await jet.last(fleet.log, fleet.subject(shard))
        said = await jet.last(names.said, names.said_of(shard))
        done += last is not None and said is not None and outcomes_of(said.data)[-1].sequence >= last.sequence
    return done


async def drain(urls: list[str], fleet: Fleet, patience_s: float) -> tuple[float, float]:
    """Wait until the workers are done; returns when the first row was stored, and the last."""
    jet = await connect(urls)
    names, first = fleet.of("bench"), 0.0
    until = time.perf_counter() + patience_s
    while time.perf_counter() < until:
        if not first:
            with_rows = [await jet.last(names.said, names.said_of(s)) for s in range(fleet.shards)]
            first = time.perf_counter() if any(with_rows) else 0.0
        elif await reached(jet, fleet) == fleet.shards:
            await jet.wire.close()
            return first, time.perf_counter()
        await asyncio.sleep(0.05)
    raise TimeoutError("the workers did not finish")


def measure(asked: argparse.Namespace, workers: int) -> None:
    """Print the figures for so many workers."""
    with tempfile.TemporaryDirectory() as folder, servers(Path(folder), max(1, asked.replicas)) as up:
        fleet = Fleet("bench", asked.shards, asked.replicas)
        served = [one.pid for one in up.running.values()]
        before = sum(map(cpu_of, served))
        readings, wall, cpu = asyncio.run(fill(up.urls, fleet, asked))
        filled = sum(map(cpu_of, served))
        arguments = ("worker", str(asked.signals), str(asked.shards), str(asked.replicas), *up.urls)
        begun = [
            subprocess.Popen(
                [sys.executable, "-m", "bench.cluster", *arguments],
                cwd=ROOT,
                env=environment(),
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(workers)
        ]
        first, last = asyncio.run(drain(up.urls, fleet, 300))
        used = sum(cpu_of(one.pid) for one in begun)
        drained = sum(map(cpu_of, served))
        for one in begun:
            one.terminate()
        said = [json.loads(one.communicate()[0]) for one in begun]
        started = sum(one["start_cpu_s"] for one in said)
        done = sum(one["readings"] for one in said)
        assert done >= readings
        m = readings / 1e6
        tell(f"{workers} worker{'s' * (workers > 1)}, {m:.1f} M readings, load {os.getloadavg()[0]:.1f}")
        tell(f"  workers  {m / (used - started):6.2f} M a CPU-s, {m / (last - first):.2f} M/s wall")
        again, taken = done / readings - 1, sum(one["takeovers"] for one in said)
        conflicts = sum(one["conflicts"] for one in said)
        tell(f"  {again:.1%} were run again; {taken} shards taken, {conflicts} conflicts")
        tell(f"  servers  {m / (filled - before):6.2f} M a CPU-s in, {m / (drained - filled):.2f} out")
        tell(f"  feeder   {m / cpu:6.2f} M a CPU-s, {m / wall:.2f} M/s wall, every parcel on disk")


def tell(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


async def work(signals: int, shards: int, replicas: int, urls: list[str]) -> None:
    """Be a worker until told to end."""
    run = run_of(signals)
    state = run.start()
    for batch in batches(4, signals, 4, 2):  # what is loaded and compiled once is not counted
        state, _ = run.push(state, state.sequence + 1, Parcel(int(batch.time_ns[-1]), batch))
    jet = await connect(urls)
    started = time.process_time()
    worker = Worker(f"w{os.getpid()}", run, jet, Fleet("bench", shards, replicas), lambda: 0)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.leave)
    await worker.go()
    tally = worker.tally
    said = {"takeovers": tally.takeovers, "conflicts": tally.conflicts, "states": tally.states}
    print(json.dumps({"start_cpu_s": started, "readings": tally.readings} | said))


def main() -> None:
    """Measure with one worker and with two, or be a worker."""
    if sys.argv[1:2] == ["worker"]:
        signals, shards, replicas = map(int, sys.argv[2:5])
        asyncio.run(work(signals, shards, replicas, sys.argv[5:]))
        return
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    for name, default in (
        ("devices", 6400),
        ("signals", 3),
        ("rows", 10),
        ("parcels", 40),
        ("shards", 64),
        ("replicas", 1),
    ):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    for workers in (1, 2):
        measure(asked, workers)


if __name__ == "__main__":
    main()
