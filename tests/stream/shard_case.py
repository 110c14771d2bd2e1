"""A fleet for the tests of shards: the small program, devices out of step, gaps, repeats and late rows."""

from __future__ import annotations

import numpy as np

from bimetal.nouns import Batch
from bimetal.stream.checkpoint import key_of
from bimetal.stream.late import Reorder
from bimetal.stream.parcel import Parcel
from bimetal.stream.shard_run import ShardRun
from tests.stream.given import BLOCK, NAMES, PROGRAM, SECOND, SIGNALS, START, scorer

RUN = ShardRun("small", Reorder(SIGNALS, period_ns=SECOND), scorer(), key_of(PROGRAM, {"": BLOCK}, NAMES))


def parcels(count: int = 12, devices: int = 9, rows: int = 6, seed: int = 5) -> list[Parcel]:
    """Parcels a few seconds apart in which devices lose rows, send some late, and some twice."""
    random = np.random.default_rng(seed)
    made: list[Parcel] = []
    sent: list[tuple[int, int, tuple[float, ...]]] = []
    for turn in range(count):
        here: list[tuple[int, int, tuple[float, ...]]] = []
        for device in random.permutation(devices)[: devices - turn % 3].tolist():
            for k in range(rows):
                value = random.normal(0, 0.5, 2) + (random.random(2) < 0.03) * 30.0
                row = (device, turn * rows + k, tuple(value.tolist()))
                if random.random() < 0.9:
                    (here if random.random() < 0.95 else sent).append(row)
        if turn % 4 == 3:
            here += sent[:6]
            sent = [*sent[6:], *here[:2]]
        here.sort(key=lambda row: (row[0], row[1]))
        made.append(Parcel(START + (turn + 1) * rows * SECOND, _batch(here, devices)))
    return made


def scattered() -> list[Parcel]:
    """Parcels of devices met in no order, each with a gap before its last row, then nothing but time."""
    made: list[Parcel] = []
    for turn in range(4):
        now = START + turn * 100 * SECOND
        devices = [*[5, 2, 7, 0, 8, 3][turn:], 1]
        rows = [(d, turn * 100 + k, (0.1 * d, 1.0)) for d in devices for k in (0, 1, 5)]
        made += [Parcel(now, _batch(rows, 9)), Parcel(now + 50 * SECOND, _batch([], 9))]
    return made


def _batch(rows: list[tuple[int, int, tuple[float, ...]]], devices: int) -> Batch:
    return Batch(
        tuple(f"pump-{k}" for k in range(devices)),
        SIGNALS,
        np.array([START + second * SECOND for _, second, _ in rows], np.int64),
        np.array([device for device, _, _ in rows], np.int32),
        np.array([values for *_, values in rows]).reshape(len(rows), 2),
    )
