"""Share: which worker should have which shard; every worker works it out alone, and they agree.

Only the spread of work depends on it, no answer does: the server lets one worker at a time have a shard.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b


def shares(shards: int, workers: Iterable[str]) -> dict[str, list[int]]:
    """Return each worker's shards: as many as any other's but for one, and few move when one comes or goes.

    Rendezvous hashing (Thaler and Ravishankar, 1998) with a bound on what each may have: a shard goes
    to the worker that scores highest for it and still has room.
    """
    names = sorted(set(workers))
    shared: dict[str, list[int]] = {name: [] for name in names}
    if not names:
        return shared
    least, over = divmod(shards, len(names))
    for shard in range(shards):
        full = sum(len(its) > least for its in shared.values()) >= over
        room = [name for name in names if len(shared[name]) < least + (not full)]
        shared[max(room, key=lambda name: _score(shard, name))].append(shard)
    return shared


def _score(shard: int, worker: str) -> bytes:
    return blake2b(f"{shard} {worker}".encode(), digest_size=8).digest()
