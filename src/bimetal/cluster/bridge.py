"""Bridge: admitted readings into a fleet's log; what it returned from is safe there."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from bimetal.cluster.jet import Jet
from bimetal.cluster.name import Fleet
from bimetal.cluster.worker import ensure_log
from bimetal.nouns.batch import Batch
from bimetal.stream.parcel import Parcel, parcel_bytes
from bimetal.stream.shard import by_shard


@dataclass(slots=True)
class Bridge:
    """Sends batches to the shards of a fleet, in their order; `name` is one that no other has or had.

    A parcel that is sent again because the server did not answer is known there by the bridge's
    name and its number, and lies in the log once.
    """

    name: str
    jet: Jet
    fleet: Fleet
    sent: int = 0
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def start(self) -> None:
        """See to it that the log is there; raises as `ensure_log`."""
        await ensure_log(self.jet, self.fleet)

    async def send(self, batch: Batch, now_ns: int) -> None:
        """Store a batch that arrived at `now_ns`; returns once the server has all of it safe.

        Raises Unsupported when the server is away for long; then some of it may be there.
        """
        async with self._turn:
            parts = sorted(by_shard(batch, self.fleet.shards).items())
            await asyncio.gather(*(self._put(shard, Parcel(now_ns, part)) for shard, part in parts))

    async def _put(self, shard: int, parcel: Parcel) -> None:
        self.sent += 1
        await self.jet.put(self.fleet.subject(shard), parcel_bytes(parcel), f"{self.name}-{self.sent}")
