"""Write: readings a second, and how long a commit takes while sealing and joining go on beside."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np

from bench.store.peer import Duck, Lite
from bench.store.plant import TICK, batches, later
from bimetal.keep.segment import Segments
from bimetal.nouns import Batch

PACE_S = 0.01


def measure(quick: bool) -> list[dict[str, Any]]:
    """Append batches of 10,000 as fast as they are taken, and of 2,000 every 10 ms."""
    much = 2_000_000 if quick else 20_000_000
    rows = [_ours("bimetal, as fast as can be", much, 5, 0)]
    rows.append(_ours("bimetal, paced", much // 10, 1, PACE_S))
    return rows


def measure_peers(quick: bool) -> list[dict[str, Any]]:
    """Append batches of 10,000 as fast as the peers take them."""
    much = 2_000_000 if quick else 20_000_000
    rows: list[dict[str, Any]] = []
    for kind, share in ((Duck, 5), (Lite, 40)):
        with tempfile.TemporaryDirectory() as folder:
            peer = kind(Path(folder))
            rows.append(_timed(kind.name, much // share, 5, peer.append, 0))
    return rows


def _ours(name: str, much: int, ticks: int, pace_s: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        segments, over = Segments(Path(folder)), Event()

        def tend() -> None:
            while not over.is_set():
                if not segments.tend():
                    over.wait(0.02)

        beside = Thread(target=tend)
        beside.start()
        try:
            return _timed(name, much, ticks, segments.append, pace_s)
        finally:
            over.set()
            beside.join()
            segments.close()


def _timed(
    name: str, much: int, ticks: int, append: Callable[[Batch], object], pace_s: float
) -> dict[str, Any]:
    ready = list(batches(min(much, 1_000_000), ticks))
    taken_ms: list[float] = []
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    for number in range(much // (TICK * ticks)):
        batch = later(ready[number % len(ready)], number // len(ready) * len(ready) * ticks)
        start_s = time.perf_counter()
        append(batch)
        taken_s = time.perf_counter() - start_s
        taken_ms.append(1e3 * taken_s)
        time.sleep(max(0.0, pace_s - taken_s))
    wall_s, cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
    return {
        "store": name,
        "readings": len(taken_ms) * TICK * ticks,
        "a commit": TICK * ticks,
        "M/s": len(taken_ms) * TICK * ticks / wall_s / 1e6,
        "M/CPU-s": len(taken_ms) * TICK * ticks / cpu_s / 1e6,
        "p50 ms": float(np.percentile(taken_ms, 50)),
        "p99 ms": float(np.percentile(taken_ms, 99)),
        "worst ms": max(taken_ms),
    }
