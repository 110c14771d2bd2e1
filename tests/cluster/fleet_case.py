"""A fleet on real servers with real workers, and what one machine says of the same log."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from bimetal.cluster.bridge import Bridge
from bimetal.cluster.jet import Jet, Stored, connect
from bimetal.cluster.name import Fleet
from bimetal.stream.checkpoint import Checkpoint
from bimetal.stream.parcel import Outcome, Parcel, outcome_bytes, outcomes_of, parcel_of
from tests.cluster.engine import ROOT, Servers, environment
from tests.stream.shard_case import RUN

SHARDS = 8


@dataclass
class Crew:
    """Worker processes by name; they can be killed, stopped and told to leave."""

    fleet: Fleet
    urls: list[str]
    clock: str = "still"
    running: dict[str, subprocess.Popen[str]] = field(default_factory=dict)

    def add(self, name: str) -> None:
        """Start a worker."""
        arguments = (name, str(self.fleet.shards), str(self.fleet.replicas), self.clock, *self.urls)
        self.running[name] = subprocess.Popen(
            [sys.executable, "-m", "tests.cluster.small_worker", *arguments],
            env=environment(),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def send(self, name: str, number: int) -> None:
        """Send a worker a signal."""
        self.running[name].send_signal(number)

    def end(self, name: str) -> str:
        """Tell a worker to leave; returns what it printed."""
        one = self.running.pop(name)
        one.terminate()
        said, _ = one.communicate(timeout=40)
        assert one.returncode == 0, said
        return said


@contextmanager
def crew(fleet: Fleet, urls: Sequence[str], clock: str = "still") -> Iterator[Crew]:
    """Workers that are gone when the block ends."""
    found = Crew(fleet, list(urls), clock)
    try:
        yield found
    finally:
        for one in found.running.values():
            one.kill()
            one.wait(10)


async def every(jet: Jet, stream: str, subject: str) -> list[Stored]:
    """All messages under a subject, in order."""
    found: list[Stored] = []
    while more := await jet.read(stream, subject, found[-1].sequence + 1 if found else 1, 500):
        found += more
    return found


async def expected(jet: Jet, fleet: Fleet) -> tuple[dict[int, list[Outcome]], dict[int, Checkpoint]]:
    """What one machine says of each shard's log, read from the server, and what it remembers then."""
    said: dict[int, list[Outcome]] = {}
    states: dict[int, Checkpoint] = {}
    for shard in range(fleet.shards):
        states[shard] = RUN.start()
        for one in await every(jet, fleet.log, fleet.subject(shard)):
            states[shard], outcome = RUN.push(states[shard], one.sequence, parcel_of(one.data))
            if not outcome.silent:
                said.setdefault(shard, []).append(outcome)
    return said, states


async def told(jet: Jet, fleet: Fleet) -> dict[int, list[Outcome]]:
    """What the workers said of each shard, in the order in which it was stored."""
    names = fleet.of(RUN.name)
    found = {k: await every(jet, names.said, names.said_of(k)) for k in range(fleet.shards)}
    return {k: [one for m in its for one in outcomes_of(m.data)] for k, its in found.items() if its}


def count(said: dict[int, list[Outcome]]) -> int:
    """How many rows that is."""
    return sum(len(one) for its in said.values() for one in its)


def bits(said: dict[int, list[Outcome]]) -> dict[int, list[bytes]]:
    """The same as bytes, for comparing."""
    return {shard: [outcome_bytes([one]) for one in its] for shard, its in said.items()}


async def settled(jet: Jet, fleet: Fleet, patience_s: float = 60.0) -> None:
    """Wait until workers said as much as one machine does, and assert that it is the same, bit for bit."""
    until = time.monotonic() + patience_s
    while True:
        wanted, _ = await expected(jet, fleet)
        found = await told(jet, fleet)
        if count(found) >= count(wanted) or time.monotonic() > until:
            break
        await asyncio.sleep(0.5)
    assert bits(found) == bits(wanted), f"{count(found)} rows, {count(wanted)} expected"
    assert count(wanted) > 0


async def states_match(jet: Jet, fleet: Fleet) -> None:
    """Assert that what is stored of every shard is what one machine remembers of it."""
    _, wanted = await expected(jet, fleet)
    names = fleet.of(RUN.name)
    for shard, state in wanted.items():
        held = await jet.last(names.states, names.state_of(shard))
        assert (held.data if held else b"") == (RUN.close(state) if state.sequence else b""), shard


async def feed(
    servers: Servers,
    fleet: Fleet,
    parcels: Sequence[Parcel],
    at: dict[int, Callable[[], object]],
    gap_s: float,
) -> Jet:
    """Send parcels at a pace; before the n-th, something happens. Returns the connection."""
    jet = await connect(servers.urls)
    bridge = Bridge("feeder", jet, fleet)
    await bridge.start()
    for k, parcel in enumerate(parcels):
        if k in at:
            at[k]()
        await bridge.send(parcel.batch, parcel.now_ns)
        await asyncio.sleep(gap_s)
    return jet
