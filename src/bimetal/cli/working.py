"""Working: the work of `bimetal worker`, imported when it is called."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from bimetal.cli.ending import stop_on_signals
from bimetal.cli.entrance import known
from bimetal.cli.fleet import Cluster, process_name
from bimetal.cli.pace import quickest
from bimetal.cli.saying import note, remark
from bimetal.cluster.name import Fleet
from bimetal.cluster.turn import Tally
from bimetal.cluster.worker import Worker
from bimetal.spine import stream_of
from bimetal.stream.shard_run import ShardRun

TELL_S = 10.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for."""

    model: Path
    name: str
    cluster: Cluster
    as_json: bool


def work(wish: Wish) -> None:
    """Work until interrupted; raises what a worker raises, NotAllowed for a model of an unknown signer."""
    fleet = wish.cluster.fleet
    run = ShardRun.of(stream_of(wish.name or wish.model.stem, known(wish.model), quickest()))
    fleet.of(run.name)
    tally = asyncio.run(_work(wish, fleet, run))
    figures = asdict(tally) | {"shards": len(tally.shards)}
    if wish.as_json:
        click.echo(json.dumps(figures))
    else:
        remark(_words(tally))


async def _work(wish: Wish, fleet: Fleet, run: ShardRun) -> Tally:
    jet = await wish.cluster.connect()
    worker = Worker(process_name(), run, jet, fleet, time.time_ns, tell=note)
    stop = asyncio.Event()
    stop_on_signals(stop)
    working = asyncio.create_task(worker.go())
    remark(f"Working for the fleet {fleet.name} with the model {run.name}; interrupt to leave it to others.")
    telling = asyncio.create_task(_tell(worker.tally))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        worker.leave()
        await working
    finally:
        for task in (telling, stopping):
            task.cancel()
        await jet.wire.close()
    return worker.tally


async def _tell(tally: Tally) -> None:
    """Say now and then what was done, where anything was."""
    before = ""
    while True:
        await asyncio.sleep(TELL_S)
        if (words := _words(tally)) != before:
            remark(words)
            before = words


def _words(tally: Tally) -> str:
    return (
        f"{len(tally.shards)} shards now; {tally.rows:,} rows in {tally.parcels:,} parcels, "
        f"{tally.events:,} events; {tally.states:,} states stored, {tally.takeovers:,} shards taken over."
    )
