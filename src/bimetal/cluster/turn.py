"""Turn: one shard in the hands of one worker, for as long as the server gives it to that worker.

    pull -> parcels -> run -> what was said (stored where it continues the last) -> now and then the state

What makes each answer come once is not that one worker has the shard, though the server sees to it: it is
that what was said, and the state, are stored only where they follow what is there. A worker that was taken
for dead and comes back finds that something else is there, and begins anew from it. All it had in memory
can be thrown away at any time: the state holds the place in the log from which it is made again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from bimetal.cluster.jet import PIN, Conflict, Jet, Msg
from bimetal.cluster.name import GROUP, NS, Names
from bimetal.nouns.batch import Batch
from bimetal.nouns.errors import BadInput, Error
from bimetal.stream.checkpoint import Checkpoint
from bimetal.stream.parcel import Outcome, Parcel, outcome_bytes, outcomes_of, parcel_bytes, parcel_of
from bimetal.stream.shard_run import ShardRun
from bimetal.wire.transport import Clock

_STATUS = "Status"
_LOST_PIN = "423"
_AT_ONCE = 16
"""So many parcels are run, and said of in one message, before others have their turn."""
_HOLD_S = 0.1
"""Or fewer, when they take so long: meanwhile this process hears nothing."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How a worker goes about it: parcels asked for at once, seconds, and when a state is stored.

    `pin_s` is how soon another worker takes over from one that died; `pull_s` must be well under it.
    """

    batch: int = 64
    pull_s: float = 1.0
    pin_s: float = 3.0
    repeat_s: float = 10.0
    save_parcels: int = 256
    save_s: float = 2.0


@dataclass(slots=True)
class Tally:
    """What a worker did since it began: it only grows, but for `shards`, those it has now."""

    parcels: int = 0
    rows: int = 0
    readings: int = 0
    events: int = 0
    states: int = 0
    takeovers: int = 0
    conflicts: int = 0
    poison: int = 0
    shards: set[int] = field(default_factory=set[int])


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a delivered message stands: in the stream, and in the deliveries of its consumer."""

    sequence: int
    delivery: int


@dataclass(slots=True)
class Turn:
    """A shard's turn at this worker; `arrive` is called with what comes to `inbox`.

    Turns of one process run programs one at a time, at its `bench`, so that between two the process
    hears what comes: else, with much to do, answers would be taken for lost.
    """

    shard: int
    run: ShardRun
    jet: Jet
    names: Names
    inbox: str
    now_ns: Clock
    pace: Pace
    tally: Tally
    bench: asyncio.Lock
    tell: Callable[[str], None]
    _queue: asyncio.Queue[Msg] = field(default_factory=asyncio.Queue[Msg])
    _leaving: asyncio.Event = field(default_factory=asyncio.Event)
    _pin: str = ""
    _synced: bool = False
    _delivery: int = 0
    _owed: int = 0
    _asked_at: float = 0.0
    _reply: str = ""
    _reached: Checkpoint | None = None
    _saved: int = 0
    _saved_at: float = 0.0
    _since: int = 0
    _state_at: int = 0
    _told: int = 0
    _told_at: int = 0

    async def arrive(self, msg: Msg) -> None:
        """Take what the server delivers."""
        await self._queue.put(msg)

    def leave(self) -> None:
        """Let `go` end soon, with everything stored."""
        self._leaving.set()

    async def go(self) -> None:
        """Work until told to leave; raises what cannot be mended by beginning anew."""
        fleet, consumer = self.names.fleet, self.names.consumer(self.shard)
        config = self.names.consumer_config(self.shard, self.pace.pin_s, self.pace.repeat_s)
        await self.jet.consumer(fleet.log, consumer, config)
        alive = asyncio.create_task(self._stay())
        try:
            await self._go()
        finally:
            alive.cancel()
        if self._reached is not None:
            try:
                await self._save()
            except Conflict:
                self.tally.conflicts += 1
        self._begin_anew()
        if self._pin:
            await self.jet.unpin(fleet.log, consumer, GROUP)

    async def _go(self) -> None:
        while not (self._leaving.is_set() and not self._owed):
            if not self._leaving.is_set():
                await self._ask()
            try:
                await self._take(await self._some())
                await self._look_after()
            except Conflict:
                self.tally.conflicts += 1
                self._begin_anew()

    # What comes

    async def _ask(self) -> None:
        """See to it that the server owes something: parcels, or the word that there are none."""
        if not self._owed or _time() >= self._asked_at + 2 * self.pace.pull_s:
            self._owed = self.pace.batch
            await self._pull(self.pace.batch)

    async def _pull(self, most: int) -> None:
        asked = {"batch": most, "expires": round(self.pace.pull_s * NS), "group": GROUP}
        if self._pin:
            asked["id"] = self._pin
        self._asked_at = _time()
        await self.jet.pull(self.names.fleet.log, self.names.consumer(self.shard), asked, self.inbox)

    async def _stay(self) -> None:
        """Ask for one more while there is so much to do that nothing else is asked for.

        The server takes who asks for nothing for dead, and gives the shard to another, which does again
        what this one is about to store.
        """
        with contextlib.suppress(Error):  # a server that is away for long is missed where work is done
            while True:
                await asyncio.sleep(self.pace.pull_s / 2)
                if self._pin and _time() >= self._asked_at + self.pace.pull_s:
                    await self._pull(1)

    async def _some(self) -> list[Msg]:
        """Return what has come, waiting a little where nothing has."""
        try:
            found = [await asyncio.wait_for(self._queue.get(), self.pace.pull_s / 2)]
        except TimeoutError:
            if self._leaving.is_set():
                self._owed = 0
            return []
        while not self._queue.empty() and len(found) < self.pace.batch:
            found.append(self._queue.get_nowait())
        return found

    async def _take(self, messages: Sequence[Msg]) -> None:
        parcels: list[tuple[int, bytes]] = []
        for msg in messages:
            headers = msg.headers or {}
            if _STATUS in headers:
                self._owed = 0
                if headers[_STATUS] == _LOST_PIN:
                    self._lose()
                continue
            self._owed = max(0, self._owed - 1)
            self._notice(_place_of(msg.reply), headers.get(PIN, ""))
            self._reply = msg.reply
            if self._synced:
                parcels.append((_place_of(msg.reply).sequence, msg.data))
            else:
                await self._catch_up()
                parcels.clear()
        await self._work(parcels)

    def _notice(self, place: _Place, pin: str) -> None:
        """Find out whether this message follows the one before it, or others may lie between."""
        if pin != self._pin:
            self._lose()
            self._pin = pin
            self.tally.shards.add(self.shard)
        elif place.delivery != self._delivery + 1:
            self._synced = False
        self._delivery = place.delivery

    # What is made of it

    async def _catch_up(self) -> None:
        """Do all that was delivered to anybody by now, from the state in memory or else the stored one."""
        log, consumer = self.names.fleet.log, self.names.consumer(self.shard)
        if self._reached is None:
            self._reached = await self._stored()
            self._saved, self._since, self._saved_at = self._reached.sequence, 0, _time()
            self.tally.takeovers += 1
        newest = await self.jet.delivered(log, consumer)
        while self._reached.sequence < newest:
            first = self._reached.sequence + 1
            found = await self.jet.read(log, self.names.fleet.subject(self.shard), first, self.pace.batch)
            await self._work([(one.sequence, one.data) for one in found])
            await self._save_if_due()
            await self._ask()
            if not found:
                await asyncio.sleep(self.pace.pull_s / 4)
        self._synced = True

    async def _stored(self) -> Checkpoint:
        """Return the state that is stored, and note what was said last."""
        said = await self.jet.last(self.names.said, self.names.said_of(self.shard))
        self._told_at = said.sequence if said else 0
        self._told = outcomes_of(said.data, self.names.said)[-1].sequence if said else 0
        where = self.names.state_of(self.shard)
        state = await self.jet.last(self.names.states, where)
        self._state_at = state.sequence if state else 0
        return self.run.open(state.data if state else b"", where)

    async def _work(self, parcels: Sequence[tuple[int, bytes]]) -> None:
        """Run parcels that are not in the state yet, and store what was said of them."""
        rest = deque(parcels)
        while rest:
            async with self.bench:
                outcomes = self._run(rest)
                await asyncio.sleep(0)
            if outcomes:
                await self._say(outcomes)

    def _run(self, rest: deque[tuple[int, bytes]]) -> list[Outcome]:
        """Run the first of these parcels; returns what was not said before."""
        outcomes: list[Outcome] = []
        begun = _time()
        for _ in range(min(len(rest), _AT_ONCE)):
            if _time() > begun + _HOLD_S:
                break
            sequence, content = rest.popleft()
            if self._reached is not None and sequence > self._reached.sequence:
                outcome = self._pushed(self._reached, sequence, content)
                if sequence > self._told and not outcome.silent:
                    outcomes.append(outcome)
        return outcomes

    def _pushed(self, reached: Checkpoint, sequence: int, content: bytes) -> Outcome:
        """Run one parcel; one that is none is set aside, alike by every worker."""
        try:
            parcel = parcel_of(content, f"{self.names.fleet.log} {sequence}")
        except BadInput as error:
            self.tally.poison += 1
            self.tell(error.sentence())
            parcel = Parcel(0, _NOTHING)
        self._reached, outcome = self.run.push(reached, sequence, parcel)
        self._since += 1
        self.tally.parcels += 1
        self.tally.rows += len(parcel.batch)
        self.tally.readings += parcel.batch.values.size
        self.tally.events += len(outcome.events)
        return outcome

    async def _say(self, outcomes: Sequence[Outcome]) -> None:
        first, last = outcomes[0].sequence, outcomes[-1].sequence
        self._told_at = await self.jet.put(
            self.names.said_of(self.shard),
            outcome_bytes(outcomes),
            f"{self.shard}-{first}-{last}",
            self._told_at,
        )
        self._told = last

    # What is done beside it

    async def _look_after(self) -> None:
        """Store the state where that is due, and let time pass for rows that wait."""
        if self._reached is None:
            return
        await self._save_if_due()
        due, now = self.run.due_ns(self._reached), self.now_ns()
        if due is not None and due <= now and self._synced:
            tick = parcel_bytes(Parcel(now, _NOTHING))
            subject = self.names.fleet.subject(self.shard)
            await self.jet.put(subject, tick, f"tick-{self.shard}-{self._reached.sequence}")

    async def _save_if_due(self) -> None:
        late = _time() > self._saved_at + self.pace.save_s
        if self._since >= self.pace.save_parcels or (self._since and late):
            await self._save()

    async def _save(self) -> None:
        assert self._reached is not None
        if self._reached.sequence > self._saved:
            self._state_at = await self.jet.put(
                self.names.state_of(self.shard), self.run.close(self._reached), expected=self._state_at
            )
            self._saved = self._reached.sequence
            self.tally.states += 1
        self._since, self._saved_at = 0, _time()
        if self._reply:
            await self.jet.acknowledge(self._reply)
            self._reply = ""

    def _begin_anew(self) -> None:
        """Forget what is in memory: somebody else was here."""
        self._synced, self._reached, self._reply = False, None, ""

    def _lose(self) -> None:
        """Note that the server may have given the shard to another, who may have done something or not."""
        self._synced, self._pin, self._delivery = False, "", 0
        self.tally.shards.discard(self.shard)


_NOTHING = Batch((), (), np.empty(0, np.int64), np.empty(0, np.int32), np.empty((0, 0)))


def _time() -> float:
    return asyncio.get_running_loop().time()


def _place_of(reply: str) -> _Place:
    """Read `$JS.ACK.<stream>.<consumer>.<times>.<stream sequence>.<delivery>.<time>.<pending>`.

    Servers may put a domain and an account before the stream, and one more word at the end.
    """
    parts = reply.split(".")
    at = 5 if len(parts) == 9 else 7
    return _Place(int(parts[at]), int(parts[at + 1]))
