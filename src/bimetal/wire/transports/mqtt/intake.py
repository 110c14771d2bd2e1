"""Intake: takes packets off one socket, in turns, and no faster than they can be dealt with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from bimetal.wire.transports.mqtt.limits import Limits
from bimetal.wire.transports.mqtt.packet import Framer, Malformed

PACKETS_A_TURN = 500


class Intake:
    """Cuts what arrives into packets and hands them to `receive`, `refuse`-ing what is malformed.

    Reading stops while the client leaves its answers unread (`writable`), while it is on hold, while
    too many of its messages wait to be kept (`waiting`), and while packets already read are left.
    """

    def __init__(
        self,
        transport: asyncio.Transport,
        limits: Limits,
        receive: Callable[[int, bytes], None],
        refuse: Callable[[Malformed], None],
    ) -> None:
        self.waiting = 0
        self.reading = True
        self._writable = True
        self._held = self._turn_due = self._stopped = False
        self._transport = transport
        self._most_waiting = limits.receive_maximum
        self._receive = receive
        self._refuse = refuse
        self._loop = asyncio.get_running_loop()
        self._framer = Framer(limits.packet_bytes)
        self._frames: Iterator[tuple[int, bytes]] | None = None
        self.heard_s = self._loop.time()

    @property
    def writable(self) -> bool:
        """Whether the client reads what it is sent."""
        return self._writable

    @writable.setter
    def writable(self, value: bool) -> None:
        self._writable = value
        self.balance()

    def hold(self, held: bool) -> None:
        """Stop reading from this client until told otherwise, or read on."""
        self._held = held
        self.balance()

    def stop(self) -> None:
        """Take no more, ever."""
        self._stopped = True

    def part(self) -> None:
        """Take no more, and let go of who was handed packets: two that hold each other stay in memory."""
        self.stop()
        self._frames = None
        self._receive = self._refuse = _forget

    def feed(self, data: bytes) -> None:
        """Take bytes from the socket."""
        if not self._stopped:
            self._frames = self._framer.feed(data)
            self._take_turn()

    def balance(self) -> None:
        """Read on if nothing stands against it; take no more from the socket while packets are left."""
        if self._stopped:
            return
        if self._frames and self._may_read() and not self._turn_due:
            self._turn_due = True
            self._loop.call_soon(self._take_turn)
        wanted = self._frames is None and self._may_read()
        if wanted == self.reading:
            return
        self.reading = wanted
        self.heard_s = self._loop.time()
        if wanted:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def _may_read(self) -> bool:
        return self._writable and not self._held and self.waiting <= self._most_waiting

    def _take_turn(self) -> None:
        """Read some packets, then let other connections have theirs."""
        self._turn_due = False
        try:
            for _ in range(PACKETS_A_TURN):
                if self._stopped or not self._frames or not self._may_read():
                    break
                frame = next(self._frames, None)
                if frame is None:
                    self._frames = None
                    break
                self.heard_s = self._loop.time()
                self._receive(*frame)
        except Malformed as fault:
            self._refuse(fault)
        self.balance()


def _forget(*_: object) -> None:
    """Take what comes after the end."""
