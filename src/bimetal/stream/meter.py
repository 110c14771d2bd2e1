"""Meter: what a server takes in and what that costs, counted in spells of time.

hear -> Meter (one call at a time) -> Spell (a stretch of time) -> History (the old ones in less detail)
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Lock
from typing import TypeAlias

import msgspec

from bimetal.nouns.errors import BadInput
from bimetal.stream.commit import Commits

MOST_SPELLS = 480
"""When there are more, those of the older half become one for two: weeks fit, the latest in full detail."""

CpuClock: TypeAlias = Callable[[], float]
"""Says how many seconds the thread that asks, or the whole process, has had on a processor."""


@dataclass(frozen=True, slots=True)
class Spell:
    """A stretch of time: what came in, what it cost, and how things stood at its end.

    `decode_s`, `keep_s` and `score_s` are processor seconds by station, `process_s` those of the whole
    process. `calls` batches of readings were taken in, `squares` is the sum of the squares of their
    readings, `products` that of readings times processor seconds. From the begin of one batch to that of
    the next the process also spent `between_s` on what is no station, above all the protocol: it took in
    the messages of the one and acknowledged those of the other, `around` of both; `around_squares` and
    `around_products` as above. `delay_s` is the longest that anybody waited for an acknowledgement;
    `turned_away` were asked to come again. `sealed_rows` readings take `sealed_bytes` in segments, of
    `kept_bytes` in all. 0 for a limit: not known.
    """

    begin_ns: int
    end_ns: int
    readings: int = 0
    messages: int = 0
    calls: int = 0
    squares: float = 0.0
    products: float = 0.0
    decode_s: float = 0.0
    keep_s: float = 0.0
    score_s: float = 0.0
    process_s: float = 0.0
    between_s: float = 0.0
    around: int = 0
    around_squares: float = 0.0
    around_products: float = 0.0
    delay_s: float = 0.0
    turned_away: int = 0
    devices: int = 0
    sealed_rows: int = 0
    sealed_bytes: int = 0
    kept_bytes: int = 0
    disk_free: int = 0
    memory_bytes: int = 0
    memory_limit: int = 0

    @property
    def seconds(self) -> float:
        """How long it was."""
        return (self.end_ns - self.begin_ns) / 1e9

    @property
    def walk_s(self) -> float:
        """Processor seconds of all stations together."""
        return self.decode_s + self.keep_s + self.score_s

    @property
    def rate(self) -> float:
        """Readings a second."""
        return self.readings / self.seconds if self.seconds > 0 else 0.0

    def then(self, later: Spell) -> Spell:
        """Return this spell and a later one as one: what is counted adds up, the rest is as at the end."""
        added = {name: getattr(self, name) + getattr(later, name) for name in _COUNTED}
        worst = max(self.delay_s, later.delay_s)
        return replace(later, begin_ns=self.begin_ns, delay_s=worst, **added)


_COUNTED = (
    "readings",
    "messages",
    "calls",
    "squares",
    "products",
    "decode_s",
    "keep_s",
    "score_s",
    "process_s",
    "between_s",
    "around",
    "around_squares",
    "around_products",
    "turned_away",
)


@dataclass(slots=True)
class Call:
    """One batch on its way: processor seconds by station, and how much it was."""

    cpu_s: CpuClock
    safe: Callable[[Sequence[int]], None] = lambda _received_ns: None
    readings: int = 0
    messages: int = 0
    decode_s: float = 0.0
    keep_s: float = 0.0
    score_s: float = 0.0
    _since_s: float = 0.0
    _received_ns: Sequence[int] = ()

    def decoded(self, received_ns: Sequence[int], readings: int) -> None:
        """Note that messages that came at these times were read, and how many readings were in them."""
        self.messages, self.readings, self._received_ns = len(received_ns), readings, received_ns
        self.decode_s += self._lap()

    def kept(self) -> None:
        """Note that the batch is safe."""
        if self._received_ns:
            self.safe(self._received_ns)
        self.keep_s += self._lap()

    def scored(self) -> None:
        """Note that every model has seen it."""
        self.score_s += self._lap()

    @property
    def cost_s(self) -> float:
        """Processor seconds of all stations together."""
        return self.decode_s + self.keep_s + self.score_s

    def _lap(self) -> float:
        now = self.cpu_s()
        since, self._since_s = self._since_s, now
        return now - since


class Meter:
    """Counts what is taken in; threads may share it. `cut` ends a spell and begins the next.

    `cpu_s` is the clock of the calling thread, `process_s` that of all threads, `now_ns` that by which
    messages are received. `commits` is how long it took from there until they were safe.
    """

    def __init__(self, cpu_s: CpuClock, process_s: CpuClock, now_ns: Callable[[], int] = lambda: 0) -> None:
        self._now_ns = now_ns
        self.commits = Commits()
        self._cpu_s = cpu_s
        self._process_s = process_s
        self._lock = Lock()
        self._now = Spell(0, 0)
        self._last: tuple[float, Call] | None = None

    @contextmanager
    def call(self) -> Generator[Call, None, None]:
        """Count the batch that the block takes in, if it does; what raises is not counted.

        One at a time: what lies between two is told apart by when they begin.
        """
        begin_s = self._process_s()
        call = Call(self._cpu_s, self._safe, _since_s=self._cpu_s())
        try:
            yield call
        except BaseException:
            self._last = None
            raise
        if call.readings:
            with self._lock:
                self._now = self._now.then(self._counted(begin_s, call))
            self._last = begin_s, call

    def _safe(self, received_ns: Sequence[int]) -> None:
        self.commits.add(received_ns, self._now_ns())

    def _counted(self, begin_s: float, call: Call) -> Spell:
        spell = Spell(
            0,
            0,
            call.readings,
            call.messages,
            calls=1,
            squares=float(call.readings) ** 2,
            products=call.readings * call.cost_s,
            decode_s=call.decode_s,
            keep_s=call.keep_s,
            score_s=call.score_s,
        )
        if self._last is None:
            return spell
        before_s, before = self._last
        between_s = max(begin_s - before_s - before.cost_s, 0.0)
        around = call.messages + before.messages
        return replace(
            spell,
            between_s=between_s,
            around=around,
            around_squares=float(around) ** 2,
            around_products=around * between_s,
        )

    def waited(self, seconds: float) -> None:
        """Note how long somebody waited for an acknowledgement."""
        with self._lock:
            if seconds > self._now.delay_s:
                self._now = replace(self._now, delay_s=seconds)

    def turned_away(self) -> None:
        """Note that somebody was asked to come again later."""
        with self._lock:
            self._now = replace(self._now, turned_away=self._now.turned_away + 1)

    def cut(self) -> Spell:
        """Return what was counted since the last cut; instants and what stands are for the caller to set."""
        with self._lock:
            spell, self._now = self._now, Spell(0, 0)
        return spell


@dataclass(frozen=True, slots=True)
class History:
    """Spells in their order; the older, the longer they are, so that there are never many."""

    spells: tuple[Spell, ...] = ()

    def add(self, spell: Spell) -> History:
        """Return the history with one spell more. A clock that was set back makes it begin anew."""
        if spell.begin_ns >= spell.end_ns:
            return self
        last_ns = self.spells[-1].end_ns if self.spells else spell.begin_ns
        if spell.end_ns <= last_ns:
            return History((spell,))
        spells = (*self.spells, replace(spell, begin_ns=max(spell.begin_ns, last_ns)))
        if len(spells) <= MOST_SPELLS:
            return History(spells)
        half = MOST_SPELLS // 2
        older = [_joined(a, b) for a, b in zip(spells[:half:2], spells[1:half:2], strict=True)]
        return History((*(s for pair in older for s in pair), *spells[half:])[-MOST_SPELLS:])

    def encode(self) -> bytes:
        """Return the history as JSON."""
        return msgspec.json.encode(self)

    @classmethod
    def decode(cls, content: bytes, where: str) -> History:
        """Read a history back; raises BadInput when it is none."""
        try:
            found = msgspec.json.decode(content, type=cls)
            found.check()
        except (msgspec.DecodeError, ValueError) as error:
            raise BadInput(
                f"this is no history of a server: {error}",
                where=where,
                hint="Move the file away; bimetal serve begins a new one",
            ) from None
        return found

    def check(self) -> None:
        """Raise ValueError when time runs backwards in it or something is counted that cannot be."""
        spans = [t for s in self.spells for t in (s.begin_ns, s.end_ns)]
        if spans != sorted(spans) or any(s.begin_ns == s.end_ns for s in self.spells):
            raise ValueError("its time stands still or runs backwards")
        if not all(getattr(s, name) >= 0 for s in self.spells for name in Spell.__slots__):
            raise ValueError("less than nothing is counted in it")


def _joined(a: Spell, b: Spell) -> tuple[Spell, ...]:
    """Join two spells, unless the server stood still between them."""
    still_ns = b.begin_ns - a.end_ns
    return (a.then(b),) if still_ns < (b.end_ns - a.begin_ns) // 4 else (a, b)
