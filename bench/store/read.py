"""Read: 24 hours of one of 2,000 series out of many readings, and a picture of a whole series."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.store.peer import DAY_NS, Duck
from bench.store.plant import DEVICES, PERIOD_NS, SIGNALS, START_NS, TICK, batches
from bimetal.keep.asked import Asked
from bimetal.keep.query import querying
from bimetal.keep.segment import Segments

TIMES = 100


def measure(quick: bool) -> list[dict[str, Any]]:
    """Read at random before and after joining, then what SQL takes for the same and for all."""
    much = 20_000_000 if quick else 50_000_000
    with tempfile.TemporaryDirectory() as folder:
        segments = Segments(Path(folder) / "kept")
        for batch in batches(much, 50):
            segments.append(batch)
        segments.seal()

        def day(device: str, signal: str, since_ns: int) -> int:
            return len(segments.read(device, signal, since_ns, since_ns + DAY_NS).value)

        def draw(device: str, signal: str, since_ns: int) -> int:
            return len(segments.picture(device, signal, stretches=1000).value)

        rows = [_timed("bimetal, sealed", day, much)]
        while segments.tend():
            pass
        rows += [_timed("bimetal, joined", day, much), _timed("bimetal, picture of all", draw, much, 20)]
        segments.close()
        return rows + _asked(Path(folder) / "kept", much)


def measure_peers(quick: bool) -> list[dict[str, Any]]:
    """The same out of a DuckDB table."""
    much = 20_000_000 if quick else 50_000_000
    with tempfile.TemporaryDirectory() as folder:
        peer = Duck(Path(folder))
        for batch in batches(much, 500):
            peer.append(batch)
        return [_timed(peer.name, peer.day, much)]


def _asked(folder: Path, much: int) -> list[dict[str, Any]]:
    """The same in SQL, looking at the folder as `bimetal query` does, and sums over all of it."""
    day = (
        "SELECT time, value FROM readings WHERE device = '{}' AND signal = '{}'"
        " AND time >= make_timestamp_ns({})::TIMESTAMPTZ AND time < make_timestamp_ns({})::TIMESTAMPTZ"
    )

    def one(device: str, signal: str, since_ns: int) -> int:
        with querying(folder, Asked((device,), (signal,), since_ns, since_ns + DAY_NS)) as query:
            return sum(1 for _ in query.ask("SELECT time, value FROM readings", 60).rows())

    def whole(device: str, signal: str, since_ns: int) -> int:
        with querying(folder, Asked()) as query:
            asked = day.format(device, signal, since_ns, since_ns + DAY_NS)
            return sum(1 for _ in query.ask(asked, 60).rows())

    def total(*_: object) -> int:
        with querying(folder, Asked()) as query:
            return len(
                list(query.ask("SELECT device, signal, avg(value) FROM readings GROUP BY ALL", 600).rows())
            )

    return [
        _timed("SQL, --device --since", one, much, 20),
        _timed("SQL, WHERE", whole, much, 20),
        _timed("SQL, mean of every series", total, much, 3),
    ]


def _timed(name: str, act: Callable[[str, str, int], int], much: int, times: int = TIMES) -> dict[str, Any]:
    chance = random.Random(0)
    span = much // TICK - DAY_NS // PERIOD_NS
    taken: list[tuple[float, float]] = []
    found = 0
    for _ in range(times):
        since_ns = START_NS + chance.randrange(max(span, 1)) * PERIOD_NS
        start_s, start_cpu_s = time.perf_counter(), time.process_time()
        found = act(chance.choice(DEVICES), chance.choice(SIGNALS).name, since_ns)
        taken.append((1e3 * (time.perf_counter() - start_s), 1e3 * (time.process_time() - start_cpu_s)))
    wall, cpu = zip(*taken, strict=True)
    return {
        "what": name,
        "of": much,
        "rows": found,
        "p50 ms": float(np.percentile(wall, 50)),
        "p99 ms": float(np.percentile(wall, 99)),
        "CPU p50 ms": float(np.percentile(cpu, 50)),
    }
