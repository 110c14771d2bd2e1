"""Outlook: how much of each limit of a server is used, and when it is reached.

A limit is reached by the trend of what comes in, and of memory; the disk fills reading by reading, less
what is removed when its time is over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from bimetal.stream.cost import Cost
from bimetal.stream.meter import Spell
from bimetal.stream.trend import Trend, trend_of

DAY_NS = 86_400_000_000_000
ENOUGH_S = 600.0
"""After less than this, nothing is forecast."""
FEWEST_SPELLS = 8
REACH = 10.0
"""Growth is taken to go on for so many times as long as it was watched, and then to stand still."""
FARTHEST_DAYS = 3650
LANES = 1.0
"""Decoding, keeping and scoring take turns on one processor, whatever the machine has: see decision 0015."""
MOST_SHARE = 0.9
"""Nothing is filled to the brim: of memory and disk, this much is taken for usable."""
SEALED_ENOUGH = 10_000
"""From fewer sealed readings, bytes a reading cannot be told."""


class Bound(StrEnum):
    """What can come to an end."""

    INGEST = "ingest"
    SCORING = "scoring"
    DISK = "disk"
    MEMORY = "memory"


@dataclass(frozen=True, slots=True)
class Forecast:
    """When a limit is reached: about, at the earliest, and at the latest (None: perhaps never), 90 %."""

    about_ns: int
    earliest_ns: int
    latest_ns: int | None


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit: how much of it is used (1.0: all), the figures behind that, and when it is reached.

    `when` None: not as far as can be seen. `known` False: it cannot be told yet, and `figures` say why.
    """

    bound: Bound
    used: float
    figures: str
    when: Forecast | None = None
    known: bool = True


@dataclass(frozen=True, slots=True)
class Asked:
    """What the verdict is for: readings are removed after `keep_days` (None: never).

    `rows` are the readings kept of each device, to say which part of the fleet weighs most.
    """

    now_ns: int
    keep_days: float | None = None
    rows: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the limits are worked out from: spells, what is asked, and what a reading costs."""

    spells: Sequence[Spell]
    asked: Asked
    cost: Cost
    enough: bool

    @property
    def last(self) -> Spell:
        """How things stand now."""
        return self.spells[-1]

    @property
    def days(self) -> NDArray[np.float64]:
        """When each spell ended, in days from now."""
        return np.array([(s.end_ns - self.asked.now_ns) / DAY_NS for s in self.spells])

    @property
    def rate(self) -> Trend:
        """Readings a second; the slope is a day's."""
        return trend_of(self.days, np.array([s.rate for s in self.spells]))

    @property
    def busiest(self) -> float:
        """What the busiest tenth of the time brings now, readings a second."""
        rate = self.rate
        return max(rate.level + rate.spread, 0.0)

    @property
    def reach_days(self) -> float:
        """How far growth is taken to go on."""
        return REACH * (self.spells[-1].end_ns - self.spells[0].begin_ns) / DAY_NS

    def processor(self) -> tuple[Limit, Limit]:
        """The two that share a processor: each is told by how much it uses of what the other leaves."""
        rate, cost = self.busiest, self.cost
        scoring, ingest = rate * cost.score_s, rate * (cost.ingest_s) + cost.idle
        capacity = cost.capacity(LANES)
        when = self._crossed(self.rate, rate, capacity)
        most = f"at least {_rounded(capacity):,}" if np.isfinite(capacity) else "more than can be told"
        figures = f"{rate:,.0f} of {most} readings/s"
        return (
            Limit(Bound.INGEST, _of(ingest, LANES - scoring), f"{figures}; {_us(cost.ingest_s)}", when),
            Limit(Bound.SCORING, _of(scoring, LANES - ingest), f"{figures}; {_us(cost.score_s)}", when),
        )

    def memory(self) -> Limit:
        """The memory of the process, by its trend since it was warm."""
        late = self.spells[len(self.spells) // 4 :]
        days = np.array([(s.end_ns - self.asked.now_ns) / DAY_NS for s in late])
        held = trend_of(days, np.array([float(s.memory_bytes) for s in late]))
        limit = self.last.memory_limit
        if not limit or not self.last.memory_bytes:
            return Limit(Bound.MEMORY, 0.0, "how much there is cannot be told here", known=False)
        now = float(self.last.memory_bytes)
        figures = f"{size_text(now)} of {size_text(limit)}, {_count(self.last.devices, 'device')}"
        return Limit(Bound.MEMORY, now / limit, figures, self._crossed(held, now, MOST_SHARE * limit))

    def disk(self) -> Limit:
        """What is kept, as it grows reading by reading, less what is removed when its time is over."""
        last = self.last
        there = last.disk_free + last.kept_bytes
        if not there:
            return Limit(Bound.DISK, 0.0, "how much there is cannot be told here", known=False)
        used = last.kept_bytes / there
        if last.sealed_rows < SEALED_ENOUGH:
            words = f"{size_text(last.disk_free)} free; what a reading takes is known when more is sealed"
            return Limit(Bound.DISK, used, words, known=False)
        figures = (
            f"{size_text(last.disk_free)} free, {self.reading_bytes:.2f} bytes a reading, "
            f"{size_text(self.day_bytes)} a day"
        )
        return Limit(Bound.DISK, used, figures, self._full() if self.enough else None)

    @property
    def reading_bytes(self) -> float:
        """What a reading takes on disk."""
        return self.last.sealed_bytes / max(self.last.sealed_rows, 1)

    @property
    def day_bytes(self) -> float:
        """What a day's readings take on disk."""
        return self.reading_bytes * self.mean_rate * 86_400

    @property
    def mean_rate(self) -> float:
        """What comes in now, all hours together: the mean about the trend."""
        rate = self.rate
        off = np.array([s.rate for s in self.spells]) - (rate.slope if rate.sure else 0.0) * self.days
        weight = np.array([s.seconds for s in self.spells])
        return max(float((off * weight).sum() / weight.sum()), 0.0)

    def full_days(self, slope: float, share: float = 1.0) -> float | None:
        """In how many days the disk is full, if readings grow by this slope a day; None: never."""
        days = np.concatenate([np.linspace(0, 30, 721)[:-1], np.arange(30.0, FARTHEST_DAYS)])
        rate = np.maximum(self.mean_rate + slope * np.minimum(days, self.reach_days), 0.0) * share
        daily = self.reading_bytes * rate * 86_400
        came = np.concatenate([[0.0], np.cumsum(np.diff(days) * (daily[1:] + daily[:-1]) / 2)])
        left = came - self._removed(days, came)
        room = self.last.disk_free - (1 - MOST_SHARE) * (self.last.disk_free + self.last.kept_bytes)
        over = np.flatnonzero(left >= max(room, 0.0))
        return float(days[over[0]]) if len(over) else None

    def _removed(self, days: NDArray[np.float64], came: NDArray[np.float64]) -> NDArray[np.float64]:
        """What retention has removed by then: first what is kept today, evenly, then what came since."""
        keep = self.asked.keep_days
        if keep is None:
            return np.zeros_like(days)
        aged = np.clip(days / max(keep, 1e-9), 0.0, 1.0) * self.last.sealed_bytes
        return aged + np.interp(days - keep, days, came, left=0.0)

    def _full(self) -> Forecast | None:
        rate = self.rate
        slopes = (rate.slope, rate.high, rate.low) if rate.sure else (0.0, 0.0, 0.0)
        about, early, late = (self.full_days(s) for s in slopes)
        if about is None:
            return None
        noise = 1.0 if self.mean_rate <= 0 else 1.0 + rate.spread / self.mean_rate / len(self.spells) ** 0.5
        early = about / noise if early is None else min(early, about / noise)
        late = None if late is None else max(late, about * noise)
        return self._dated(about, early, late)

    def _crossed(self, trend: Trend, now: float, limit: float) -> Forecast | None:
        """When what is `now` reaches a limit by its trend; None: it does not, as far as can be seen."""
        if not self.enough:
            return None
        if now >= limit:
            return self._dated(0.0, 0.0, 0.0)
        if trend.low <= 0.0:
            return None
        about, early, late = ((limit - now) / s for s in (trend.slope, trend.high, trend.low))
        if about > min(self.reach_days, FARTHEST_DAYS):
            return None
        return self._dated(about, early, late if late <= FARTHEST_DAYS else None)

    def _dated(self, about: float, early: float, late: float | None) -> Forecast:
        now = self.asked.now_ns
        latest = None if late is None else now + round(late * DAY_NS)
        return Forecast(now + round(about * DAY_NS), now + round(early * DAY_NS), latest)


def _of(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("inf")


def _us(seconds: float) -> str:
    return f"{seconds * 1e6:.1f} us a reading"


def _rounded(number: float) -> int:
    return int(float(f"{number:.2g}"))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size_text(size: float) -> str:
    """Return bytes as people write them."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"
