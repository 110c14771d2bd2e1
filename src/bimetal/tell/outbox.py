"""Outbox: notices wait here for slow channels, so that scoring never waits for anybody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from queue import Full, Queue
from threading import Thread

from bimetal.nouns.errors import Broken, Error
from bimetal.tell.alarm import Notice
from bimetal.tell.channel import Channel


@dataclass(slots=True)
class Tally:
    """What became of the notices of one channel: delivered, failed, left out because too many waited."""

    delivered: int = 0
    failed: int = 0
    left_out: int = 0
    last_error: str = ""


@dataclass(frozen=True, slots=True)
class _Line:
    channel: Channel
    tally: Tally
    queue: Queue[Notice | None]
    thread: Thread


@dataclass(slots=True)
class Outbox:
    """Delivers notices to channels by name, each from a thread of its own.

    At most `most` notices wait for a channel; more are left out and counted, never in silence.
    """

    channels: Mapping[str, Channel]
    most: int = 1000
    _lines: dict[str, _Line] = field(default_factory=dict[str, _Line])

    def __post_init__(self) -> None:
        for name, channel in self.channels.items():
            queue: Queue[Notice | None] = Queue(self.most)
            tally = Tally()
            thread = Thread(target=_deliver, args=(channel, queue, tally), name=f"tell {name}", daemon=True)
            self._lines[name] = _Line(channel, tally, queue, thread)
            thread.start()

    def put(self, notice: Notice) -> None:
        """Hand a notice to every channel; returns at once."""
        for line in self._lines.values():
            try:
                line.queue.put_nowait(notice)
            except Full:
                line.tally.left_out += 1

    def tallies(self) -> dict[str, Tally]:
        """Return what became of the notices, by channel."""
        return {name: line.tally for name, line in self._lines.items()}

    def close(self, timeout_s: float = 5.0) -> None:
        """Deliver what waits, for at most so long a channel, and close the channels."""
        for line in self._lines.values():
            try:
                line.queue.put(None, timeout=timeout_s)
            except Full:
                line.tally.left_out += line.queue.qsize()
                continue
            line.thread.join(timeout_s)
            if line.thread.is_alive():
                line.tally.left_out += max(line.queue.qsize() - 1, 0)  # the last is the word to end
            else:
                line.channel.close()


def _deliver(channel: Channel, queue: Queue[Notice | None], tally: Tally) -> None:
    while (notice := queue.get()) is not None:
        try:
            channel.tell(notice)
            tally.delivered += 1
        except Exception as error:
            # A channel of somebody else's may raise anything; the next notice must still go out.
            tally.failed += 1
            known = error if isinstance(error, Error) else Broken(f"{type(error).__name__}: {error}")
            tally.last_error = known.sentence()
