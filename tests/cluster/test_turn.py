"""A worker with much to do keeps its shards, and what it stores twice is there once."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from bimetal.cluster.jet import Conflict, connect
from bimetal.cluster.name import Fleet
from bimetal.cluster.turn import Pace
from bimetal.cluster.worker import Worker
from bimetal.stream.checkpoint import Checkpoint
from bimetal.stream.parcel import Outcome, Parcel
from bimetal.stream.shard_run import ShardRun
from tests.cluster.engine import servers
from tests.cluster.fleet_case import feed, settled
from tests.stream.shard_case import RUN, parcels

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Slow(ShardRun):
    """A run that takes long for each parcel."""

    def push(self, before: Checkpoint, sequence: int, parcel: Parcel) -> tuple[Checkpoint, Outcome]:
        time.sleep(0.03)
        return ShardRun.push(self, before, sequence, parcel)


def test_who_has_much_to_do_is_not_taken_for_dead(tmp_path: Path) -> None:
    fleet = Fleet("t", 4)
    slow = Slow(RUN.name, RUN.reorder, RUN.scorer, RUN.key)
    pace = Pace(batch=32, pull_s=0.3, pin_s=1.0, save_parcels=100, save_s=60.0)
    lost: list[str] = []

    async def note(msg: object) -> None:
        said = msgspec.json.decode(getattr(msg, "data", b""))
        lost.append(said.get("reason", ""))

    async def run(urls: list[str]) -> None:
        jet = await feed(up, fleet, parcels(32, 40, 6), {}, 0.0)
        await jet.wire.subscribe("$JS.EVENT.ADVISORY.CONSUMER.UNPINNED.>", cb=note)
        worker = Worker("a", slow, await connect(urls), fleet, lambda: 0, pace)
        going = asyncio.create_task(worker.go())
        await settled(jet, fleet)
        assert lost == []
        assert (worker.tally.takeovers, worker.tally.conflicts) == (4, 0)
        worker.leave()
        await going
        await jet.wire.close()

    with servers(tmp_path) as up:
        asyncio.run(run(up.urls))


def test_what_is_stored_already_is_no_conflict(tmp_path: Path) -> None:
    async def run(urls: list[str]) -> None:
        jet = await connect(urls)
        await jet.stream("kept", {"subjects": ["kept.*"]})
        first = await jet.put("kept.a", b"one", "id-1", 0)
        assert await jet.put("kept.a", b"one", "id-1", 0) == first  # as when its answer was lost
        with pytest.raises(Conflict):
            await jet.put("kept.a", b"other", "id-2", 0)
        second = await jet.put("kept.a", b"one", "id-3", first)
        with pytest.raises(Conflict):
            await jet.put("kept.a", b"one", "id-4", second + 7)
        await jet.wire.close()

    with servers(tmp_path) as up:
        asyncio.run(run(up.urls))
