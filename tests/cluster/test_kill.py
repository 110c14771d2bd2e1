"""Workers and servers are killed in mid-run: every row comes once, and is what one machine says."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from bimetal.cluster.name import Fleet
from bimetal.stream.parcel import outcomes_of
from bimetal.stream.shard_run import run_all
from tests.cluster.engine import servers
from tests.cluster.fleet_case import SHARDS, count, crew, feed, settled, states_match, told
from tests.stream.shard_case import RUN, parcels

pytestmark = pytest.mark.slow
PARCELS = parcels(60, 40, 6)


def test_a_worker_is_killed_and_another_added(tmp_path: Path) -> None:
    fleet = Fleet("t", SHARDS)
    with servers(tmp_path) as up, crew(fleet, up.urls) as workers:

        async def run() -> None:
            at = {
                0: lambda: [workers.add(name) for name in ("a", "b")],
                25: lambda: workers.send("a", signal.SIGKILL),
                35: lambda: workers.add("c"),
            }
            jet = await feed(up, fleet, PARCELS, at, 0.1)
            await settled(jet, fleet)
            # The log has nothing in it but what was sent, so this is what one machine says of it all.
            alone = [one for said in run_all(RUN, SHARDS, PARCELS)[1] for one in outcomes_of(said)]
            assert count(await told(jet, fleet)) == sum(len(one) for one in alone)
            said = [workers.end(name) for name in ("b", "c")]
            assert all("parcels=0" not in one for one in said), said
            await states_match(jet, fleet)
            await jet.wire.close()

        asyncio.run(run())


def test_a_worker_that_was_taken_for_dead_comes_back_and_changes_nothing(tmp_path: Path) -> None:
    fleet = Fleet("t", SHARDS)
    with servers(tmp_path) as up, crew(fleet, up.urls) as workers:

        async def run() -> None:
            at = {
                0: lambda: [workers.add(name) for name in ("a", "b")],
                25: lambda: workers.send("a", signal.SIGSTOP),
                55: lambda: workers.send("a", signal.SIGCONT),
            }
            jet = await feed(up, fleet, PARCELS, at, 0.2)
            await settled(jet, fleet)
            for name in ("a", "b"):
                workers.end(name)
            await states_match(jet, fleet)
            await jet.wire.close()

        asyncio.run(run())


def test_the_only_server_is_killed_and_comes_back(tmp_path: Path) -> None:
    fleet = Fleet("t", SHARDS)
    with servers(tmp_path) as up, crew(fleet, up.urls) as workers:

        async def run() -> None:
            at = {
                0: lambda: [workers.add(name) for name in ("a", "b")],
                30: lambda: (up.kill(0), up.start(0)),
            }
            jet = await feed(up, fleet, PARCELS, at, 0.1)
            await settled(jet, fleet)
            for name in ("a", "b"):
                workers.end(name)
            await states_match(jet, fleet)
            await jet.wire.close()

        asyncio.run(run())


def test_of_three_servers_one_is_killed_and_a_worker_too(tmp_path: Path) -> None:
    fleet = Fleet("t", SHARDS, replicas=3)
    with servers(tmp_path, 3) as up, crew(fleet, up.urls) as workers:

        async def run() -> None:
            at = {
                0: lambda: [workers.add(name) for name in ("a", "b")],
                20: lambda: workers.send("b", signal.SIGKILL),
                30: lambda: up.kill(1),
                45: lambda: up.start(1),
            }
            jet = await feed(up, fleet, PARCELS, at, 0.1)
            await settled(jet, fleet, 90)
            workers.end("a")
            await states_match(jet, fleet)
            await jet.wire.close()

        asyncio.run(run())
