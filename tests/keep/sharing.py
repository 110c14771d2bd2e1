"""Torture of two: processes that keep, seal, join and correct the same segments are killed at random.

Run: python -m tests.keep.sharing RUNS SEED CATALOG SEGMENTS, with a new database and an empty bucket.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from bimetal.keep.archive import Archive
from bimetal.keep.asked import Asked
from bimetal.keep.database import Busy
from bimetal.keep.place import settle
from bimetal.keep.rows import join, tidy
from bimetal.keep.snapshot import look
from bimetal.nouns import Batch, Signal
from tests.keep.given import SECOND, START
from tests.keep.torture import Say, ended, forked

ROWS = 5
WRITERS = ("a", "b")


def batch_of(writer: str, number: int) -> Batch:
    """The batch of a writer with this number: rows of its own device, and of one that both send."""
    times = START + (ROWS * number + np.arange(ROWS, dtype=np.int64)) * SECOND
    device = np.repeat(np.arange(2, dtype=np.int32), ROWS)
    values = np.full((2 * ROWS, 1), float(WRITERS.index(writer)))
    return Batch((writer, "both"), (Signal("x"),), np.tile(times, 2), device, values)


def live(folder: Path, writer: str, first: int, seed: int, say: Say) -> None:
    """Keep one batch after the other, saying so after each, until killed."""
    chance = random.Random(seed)
    archive = Archive(folder)
    for number in range(first, first + 1_000_000):
        archive.segments.append(batch_of(writer, number))
        say([number])
        act = chance.choice(("", "seal", "seal", "tend"))
        try:
            if act == "seal":
                archive.segments.seal()
            elif act == "tend":
                archive.segments.tend()
        except Busy:
            continue


def examine(root: Path, kept: dict[str, int], elsewhere: tuple[str, str]) -> None:
    """Seal what was left, and check that all that was acknowledged is there once; raises AssertionError."""
    for writer in WRITERS:
        archive = Archive(root / writer)
        archive.segments.seal()
        archive.close()
    settle(root / "reader", *elsewhere)
    with look(root / "reader", Asked()) as seen:
        rows = join([file.rows(held) for file, held in seen.opened.parts])
    assert len(tidy(rows)) == len(rows), "a reading lies in two segments"
    for writer in (*WRITERS, "both"):
        code = [k for k, (device, _) in enumerate(rows.series) if device == writer]
        here = np.isin(rows.code, code)
        numbers, counts = np.unique((rows.time_ns[here] - START) // (ROWS * SECOND), return_counts=True)
        assert (counts == ROWS).all(), f"a batch of {writer} is torn"
        least = max(kept.values()) if writer == "both" else kept[writer]
        lost = set(range(least)) - set(numbers.tolist())
        assert not lost, f"{writer}: batches {sorted(lost)} were acknowledged and are lost"
        values = set(rows.value[here].tolist())
        assert values <= ({0.0, 1.0} if writer == "both" else {float(WRITERS.index(writer))})


def run(runs: int, seed: int, root: Path, elsewhere: tuple[str, str]) -> int:
    """Kill so many processes, two that live at once after each other; returns the acknowledged batches."""
    chance = random.Random(seed)
    kept = dict.fromkeys(WRITERS, 0)
    for writer in WRITERS:
        settle(root / writer, *elsewhere)
    for _ in range(runs // 2):
        lives = {
            w: forked(lambda say, w=w: live(root / w, w, kept[w], chance.randrange(1 << 30), say))
            for w in WRITERS
        }
        until = time.monotonic() + chance.uniform(1.5, 5.0)
        said = dict.fromkeys(WRITERS, b"")
        for writer, (process, reading) in lives.items():
            while not said[writer]:
                said[writer] += os.read(reading, 1 << 16)
            time.sleep(max(0.0, until - time.monotonic()))
            until += chance.uniform(0.0, 1.0)
            os.kill(process, signal.SIGKILL)
            kept[writer] = ended(process, reading, said[writer])[-1][0] + 1
        # What was begun and not acknowledged may be there: its number is used again, with the same rows.
        ended(*forked(lambda _: examine(root, kept, elsewhere)))
    return sum(kept.values())


if __name__ == "__main__":
    count, start = int(sys.argv[1]), int(sys.argv[2])
    with tempfile.TemporaryDirectory() as place:
        batches = run(count, start, Path(place), (sys.argv[3], sys.argv[4]))
    print(f"{count:,} processes killed, seed {start}: {batches:,} acknowledged batches, 0 lost.")
