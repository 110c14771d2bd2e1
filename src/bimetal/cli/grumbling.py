"""Grumbling: says on the terminal that messages were set aside, one a second however many there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bimetal.cli.saying import remark
from bimetal.wire.gather import Poison

EVERY_S = 1.0


class Grumbler:
    """Says the latest, and how many others there were; who sends nonsense must not fill a log, nor a pipe."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._next_s = 0.0
        self._last: Poison | None = None
        self._others = 0

    def hear(self, poison: Sequence[Poison]) -> None:
        """Note what was set aside, and say it unless something was said just now."""
        if poison:
            self._others += len(poison) - (self._last is None)
            self._last = poison[-1]
            self.speak()

    def speak(self, at_once: bool = False) -> None:
        """Say what was not said yet, if it is time, or in any case."""
        if self._last is None or (self._now_s() < self._next_s and not at_once):
            return
        others = f" And {self._others:,} others." if self._others else ""
        remark(f"A message from {self._last.message.client_id!a} was set aside: {self._last.reason}.{others}")
        self._next_s = self._now_s() + EVERY_S
        self._last, self._others = None, 0
