"""From one live view to many tabs: each is told what it has not seen, at its own pace.

    Live --every 0.1 s--> pulse --> tab: what is new after my mark? --> WebSocket
                                --> tab: ...

No tab has a queue. A tab keeps a mark of what it was told and asks for what came after, so
one that is slow skips frames, gets the rest drawn down to the points a picture needs, and
costs the others nothing. Tabs in step share one encoded frame.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from bimetal.api import message
from bimetal.api.live import Live, Mark

MOST_TABS = 100
_COUNTERS_EVERY = 5


@dataclass(slots=True, eq=False)
class Tab:
    """What one tab has been told so far."""

    revision: int = 0
    mark: Mark = field(default_factory=Mark)
    pulse: int = -_COUNTERS_EVERY


class Fanout:
    """Keeps the tabs and beats the pulse that wakes them, every `tick_s` seconds."""

    def __init__(self, live: Live, tick_s: float = 0.1) -> None:
        self.live = live
        self.closed = False
        self._tick_s = tick_s
        self._tabs: set[Tab] = set()
        self._beat = asyncio.Event()
        self._pulse = 0
        self._shared: dict[tuple[Mark, Mark], bytes | None] = {}

    @property
    def tabs(self) -> int:
        """How many tabs are open."""
        return len(self._tabs)

    def join(self) -> Tab | None:
        """Let a tab in, None when there are too many already."""
        if self.closed or len(self._tabs) >= MOST_TABS:
            return None
        tab = Tab()
        self._tabs.add(tab)
        return tab

    def leave(self, tab: Tab) -> None:
        """Let a tab go."""
        self._tabs.discard(tab)

    async def run(self) -> None:
        """Beat until cancelled; then wake every tab so that it can leave."""
        try:
            clock = asyncio.get_running_loop().time
            due_s = clock()
            while True:
                due_s = max(due_s + self._tick_s, clock())
                await asyncio.sleep(due_s - clock())
                self._wake()
        finally:
            self.closed = True
            self._wake()

    async def next_pulse(self) -> None:
        """Wait for the next pulse."""
        await self._beat.wait()

    def take_for(self, tab: Tab) -> tuple[list[bytes], bytes | None]:
        """Return the messages and the frame this tab has not had, and remember that it has them now."""
        live, mark = self.live, self.live.mark()
        told = message.news(live, tab.revision)
        if self._pulse - tab.pulse >= _COUNTERS_EVERY:
            told.append({"type": "counters", "counters": message.counters(live)})
            tab.pulse = self._pulse
        frame = self._frame(tab.mark, mark) if mark != tab.mark else None
        tab.revision, tab.mark = live.revision, mark
        return [message.as_bytes(m) for m in told], frame

    def _frame(self, seen: Mark, now: Mark) -> bytes | None:
        key = (seen, now)
        if key not in self._shared:
            self._shared[key] = self.live.frame_after(seen, self._pulse)
        return self._shared[key]

    def _wake(self) -> None:
        self._pulse += 1
        self._shared.clear()
        self._beat.set()
        self._beat = asyncio.Event()
