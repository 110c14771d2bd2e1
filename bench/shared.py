"""What sharing costs: sealing, and 24 hours of one series, from a folder, a shared folder and a bucket.

Run: make bench-shared. The bucket is moto's, a server in Python on this machine: a figure of how often it is
asked and of our own work, not of S3's latency. PostgreSQL runs without fsync.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bimetal.keep.asked import Asked
from bimetal.keep.place import settle
from bimetal.keep.query import querying
from bimetal.keep.segment import Segments
from bimetal.nouns import Batch, Signal
from tests.keep import peers

SECOND, DAY_S = 1_000_000_000, 86_400
START = 1_767_225_600 * SECOND
SERIES, PERIOD_S, DAYS = 200, 10, 3
ROUNDS = 15


def batches() -> list[Batch]:
    """Every series once a period, half an hour in a batch."""
    random = np.random.default_rng(0)
    devices, found = tuple(f"d{k:03d}" for k in range(SERIES)), []
    for first in range(0, DAYS * DAY_S, 1800):
        times = START + np.repeat(np.arange(first, first + 1800, PERIOD_S, dtype=np.int64), SERIES) * SECOND
        values = np.round(random.normal(20, 2, (len(times), 1)), 2)
        device = np.tile(np.arange(SERIES, dtype=np.int32), len(times) // SERIES)
        found.append(Batch(devices, (Signal("x"),), times, device, values))
    return found


def keep(folder: Path, given: list[Batch]) -> tuple[Segments, float, float]:
    """Keep them in a folder, a segment for each million; returns seconds of sealing, all and of processor."""
    segments = Segments(folder, seal_readings=1 << 40)
    wall = work = 0.0
    for k, one in enumerate(given):
        segments.append(one)
        if segments.unsealed >= 1_000_000 or k + 1 == len(given):
            before = time.perf_counter(), time.process_time()
            segments.seal()
            wall, work = wall + time.perf_counter() - before[0], work + time.process_time() - before[1]
    return segments, wall, work


def asked_in_turn(asking: dict[str, Callable[[], int]]) -> dict[str, float]:
    """Ask all of them, one after the other, again and again; returns the median of each in milliseconds."""
    took: dict[str, list[float]] = {name: [] for name in asking}
    for _ in range(ROUNDS):
        for name, ask in asking.items():
            before = time.perf_counter()
            assert ask() == DAY_S // PERIOD_S
            took[name].append(1000 * (time.perf_counter() - before))
    return {name: statistics.median(of) for name, of in took.items()}


def sql(folder: Path, asked: Asked) -> int:
    """Ask with SQL, from nothing open to the last row."""
    with querying(folder, asked) as asking:
        return sum(1 for _ in asking.ask("FROM readings", 60).rows())


def main() -> None:
    """Measure, and print a table."""
    given = batches()
    count = sum(one.readings for one in given)
    since, until = START + DAY_S * SECOND, START + 2 * DAY_S * SECOND
    asked = Asked(("d007",), ("x",), since, until)
    with tempfile.TemporaryDirectory() as place, peers.postgres() as pg, peers.buckets() as s3:
        os.environ.update(peers.environment(s3))
        root = Path(place)
        settle(root / "shared folder", pg.database(), str(root / "big"))
        settle(root / "bucket", pg.database(), f"s3://{s3.bucket()}/plant")
        names = ("folder", "shared folder", "bucket")
        kept = {name: keep(root / name, given) for name in names}
        read = asked_in_turn(
            {n: lambda n=n: len(kept[n][0].read("d007", "x", since, until).time_ns) for n in names}
        )
        by_sql = asked_in_turn({n: lambda n=n: sql(root / n, asked) for n in names})
        print(f"{count:,} readings of {SERIES} series; medians of {ROUNDS}", file=sys.stderr)
        for name in names:
            wall, work = kept[name][1:]
            print(
                f"{name:14} sealed {count / wall / 1e6:5.2f} M/s ({count / work / 1e6:5.2f} M/CPU-s, "
                f"x{wall / kept['folder'][1]:.2f})  24 h read {read[name]:6.1f} ms "
                f"(x{read[name] / read['folder']:.1f})  SQL {by_sql[name]:6.1f} ms "
                f"(x{by_sql[name] / by_sql['folder']:.1f})"
            )
            kept[name][0].close()


if __name__ == "__main__":
    main()
