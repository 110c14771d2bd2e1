"""Delivery: collects what arrives into small batches and says of each whether it was kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from bimetal.wire.transport import Deliver, Message
from bimetal.wire.transports.mqtt.limits import Limits
from bimetal.wire.transports.mqtt.packet import Publish

if TYPE_CHECKING:
    from bimetal.wire.transports.mqtt.connection import Connection

MANY_MESSAGES = 64
"""So many are not kept waiting."""


class Arrival(NamedTuple):
    """A message that waits to be kept; `sender` is None for a will, whose client is gone."""

    message: Message
    publish: Publish
    sender: Connection | None

    @property
    def size(self) -> int:
        """How much memory it holds, about."""
        return self.publish.size


class Delivery:
    """Hands batches to `deliver`, one at a time and in order of arrival.

    What comes after a pause is delivered at once. While few messages come, a batch begins a tick after
    the one before at the earliest: what comes meanwhile shares its cost. `settle` is called after each
    with the batch and what went wrong, None if it was kept.
    """

    def __init__(
        self,
        deliver: Deliver,
        settle: Callable[[list[Arrival], BaseException | None], None],
        limits: Limits,
    ) -> None:
        self._deliver = deliver
        self._settle = settle
        self._limits = limits
        self._waiting: list[Arrival] = []
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._pending_bytes = 0
        self._next_s = 0.0

    @property
    def full(self) -> bool:
        """Whether so much is waiting that nothing more should be read."""
        return self._pending_bytes > self._limits.pending_bytes

    def add(self, arrival: Arrival) -> None:
        """Take one message into the batch that is being collected."""
        self._waiting.append(arrival)
        self._pending_bytes += arrival.size
        if not self._task:
            self._schedule()

    async def drop(self, unwanted: Callable[[Arrival], bool]) -> list[Arrival]:
        """Take out of what waits what is not to be kept; returns that when the batch under way is settled."""
        gone = [arrival for arrival in self._waiting if unwanted(arrival)]
        if gone:
            self._waiting = [arrival for arrival in self._waiting if not unwanted(arrival)]
            self._pending_bytes -= sum(arrival.size for arrival in gone)
        if self._task:
            await asyncio.wait({self._task})
        return gone

    async def close(self) -> None:
        """Deliver what waits, giving `deliver` the closing grace for each batch under way."""
        while self._waiting or self._task:
            self._begin()
            if self._task:
                task = self._task
                await asyncio.wait({task}, timeout=self._limits.close_grace_s)
                if not task.done():
                    task.cancel()
                    await asyncio.wait({task})
                    break

    def _schedule(self) -> None:
        """Let the next batch begin when its tick has come, or now if many messages wait."""
        if len(self._waiting) >= min(MANY_MESSAGES, self._limits.batch_messages):
            self._begin()
        elif not self._timer:
            self._timer = asyncio.get_running_loop().call_at(self._next_s, self._begin)

    def _begin(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._waiting and not self._task:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="bimetal-mqtt-delivery")

    async def _run(self) -> None:
        self._next_s = asyncio.get_running_loop().time() + self._limits.tick_s
        try:
            most = self._limits.batch_messages
            batch, self._waiting = self._waiting[:most], self._waiting[most:]
            failure = await self._hand_over([arrival.message for arrival in batch])
            self._pending_bytes -= sum(arrival.size for arrival in batch)
            self._settle(batch, failure)
            if isinstance(failure, asyncio.CancelledError):
                raise failure
        finally:
            self._task = None
        if self._waiting:
            self._schedule()

    async def _hand_over(self, messages: list[Message]) -> BaseException | None:
        try:
            await self._deliver(messages)
        except (Exception, asyncio.CancelledError) as error:
            return error
        return None
