"""Worker: one process among many that run a model on the shards of a fleet; start and stop any, at any time.

Workers hear of each other by a word a second, and each takes its share of the shards. Nothing depends on
that word but the spread of work: whose turn a shard is, the server decides (see turn.py).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

from bimetal.cluster.jet import Conflict, Jet, Msg
from bimetal.cluster.name import Fleet, Names
from bimetal.cluster.share import shares
from bimetal.cluster.turn import Pace, Tally, Turn
from bimetal.nouns.errors import BadInput
from bimetal.stream.shard_run import ShardRun
from bimetal.wire.transport import Clock

WORD_S = 1.0
GONE_S = 3.5
"""A worker that said nothing for so long has no share any more."""
_BYE = b"-"


@dataclass(slots=True)
class Worker:
    """A worker with a name that no other has; `go` returns when it was told to leave and has."""

    name: str
    run: ShardRun
    jet: Jet
    fleet: Fleet
    now_ns: Clock
    pace: Pace = field(default_factory=Pace)
    tell: Callable[[str], None] = lambda _: None
    tally: Tally = field(default_factory=Tally)
    _heard: dict[str, float] = field(default_factory=dict[str, float])
    _turns: dict[int, tuple[Turn, asyncio.Task[None]]] = field(
        default_factory=dict[int, tuple[Turn, "asyncio.Task[None]"]]
    )
    _bench: asyncio.Lock = field(default_factory=asyncio.Lock)
    _leaving: asyncio.Event = field(default_factory=asyncio.Event)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _inbox: str = ""

    def leave(self) -> None:
        """Let `go` end soon, with everything stored and every shard free for others."""
        self._leaving.set()
        self._changed.set()

    async def go(self) -> None:
        """Take a share of the shards and work on them until told to leave.

        Raises BadInput where the fleet has another number of shards or another model has this name,
        Unsupported when the server is away for long, and what else cannot be mended by trying again.
        """
        names = self.fleet.of(self.run.name)
        await ensure(self.jet, names, self.run.key)
        self._inbox = self.jet.wire.new_inbox()
        heard = [
            await self.jet.wire.subscribe(names.presence, cb=self._hear),
            await self.jet.wire.subscribe(f"{self._inbox}.*", cb=self._arrive),
        ]
        try:
            while not self._leaving.is_set():
                await self._word(names, self.name.encode())
                self._settle(names)
                self._changed.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), WORD_S)
        finally:
            await self._go_home(names)
            for one in heard:
                with contextlib.suppress(*self.jet.failures):
                    await one.unsubscribe()

    async def _go_home(self, names: Names) -> None:
        """Leave every shard in good order, then say goodbye."""
        for turn, _ in self._turns.values():
            turn.leave()
        ended = await asyncio.gather(*(task for _, task in self._turns.values()), return_exceptions=True)
        await self._word(names, _BYE + self.name.encode())
        for one in ended:
            if isinstance(one, BaseException) and not isinstance(one, asyncio.CancelledError):
                raise one

    def _settle(self, names: Names) -> None:
        """Begin and end turns, so that this worker has its share; raises what ended a turn."""
        now = asyncio.get_running_loop().time()
        self._heard[self.name] = now
        self._heard = {name: at for name, at in self._heard.items() if at > now - GONE_S}
        mine = set(shares(self.fleet.shards, self._heard)[self.name])
        for shard, (turn, task) in list(self._turns.items()):
            if task.done():
                del self._turns[shard]
                task.result()
            elif shard not in mine:
                turn.leave()
        for shard in sorted(mine - self._turns.keys()):
            turn = Turn(
                shard,
                self.run,
                self.jet,
                names,
                f"{self._inbox}.{shard}",
                self.now_ns,
                self.pace,
                self.tally,
                self._bench,
                self.tell,
            )
            task = asyncio.create_task(turn.go())
            task.add_done_callback(lambda _: self._changed.set())
            self._turns[shard] = turn, task

    async def _arrive(self, msg: Msg) -> None:
        found = self._turns.get(int(msg.subject.rsplit(".", 1)[-1]))
        if found:
            await found[0].arrive(msg)

    async def _hear(self, msg: Msg) -> None:
        said = msg.data.decode("utf-8", "replace")
        if said.startswith("-"):
            self._heard.pop(said[1:], None)
            self._changed.set()
        elif said:
            if said not in self._heard:
                self._changed.set()
            self._heard[said] = asyncio.get_running_loop().time()

    async def _word(self, names: Names, said: bytes) -> None:
        with contextlib.suppress(*self.jet.failures):
            await self.jet.wire.publish(names.presence, said)


async def ensure(jet: Jet, names: Names, key: bytes) -> None:
    """See to it that a fleet and a model have their streams.

    Raises BadInput where the fleet has another number of shards, or another model has this name.
    """
    await ensure_log(jet, names.fleet)
    await jet.stream(names.said, names.said_config())
    await jet.stream(names.states, names.states_config())
    subject = names.state_of("model")
    with contextlib.suppress(Conflict):
        await jet.put(subject, key, expected=0)
    there = await jet.last(names.states, subject)
    if there is None or there.data != key:
        raise BadInput(
            f"the fleet runs another model by the name {names.model}",
            where=names.states,
            hint="Give this one another name with --name; it begins with the log as far as that is kept",
        )


async def ensure_log(jet: Jet, fleet: Fleet) -> None:
    """See to it that a fleet has its log; raises BadInput where it has another number of shards."""
    fleet.check(await jet.stream(fleet.log, fleet.log_config()))
