"""Shard: which part of a fleet a device belongs to, the same on every machine and in every year."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np

from bimetal.nouns.batch import Batch
from bimetal.nouns.errors import BadInput

SHARDS = 64
"""Virtual shards; a fleet keeps its number, for changing it moves devices."""


def shard_of(device: str, shards: int = SHARDS) -> int:
    """Return a device's shard, 0..shards-1: BLAKE2b (RFC 7693) of its id, modulo the number of shards."""
    if not 0 < shards <= 1 << 16:
        raise BadInput(f"a fleet cannot have {shards} shards", hint="Choose 1 to 65536")
    digest = blake2b(device.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") % shards


def by_shard(batch: Batch, shards: int = SHARDS) -> dict[int, Batch]:
    """Return the part of a batch for every shard that has rows in it, rows in their order."""
    shard = np.array([shard_of(d, shards) for d in batch.devices], np.int64)[batch.device]
    return {int(k): take(batch, np.flatnonzero(shard == k)) for k in np.unique(shard)}


def take(batch: Batch, rows: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Batch:
    """Return some rows of a batch, in the order given."""
    return Batch(batch.devices, batch.signals, batch.time_ns[rows], batch.device[rows], batch.values[rows])
