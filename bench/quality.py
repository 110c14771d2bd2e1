"""Faults of sensors put into healthy real readings: found, rightly named, and said for nothing.

Run: python -m bench.quality [--quick]. A series is a stretch without labelled anomaly; its first 60 % are
learned from, and into the rest one kind of fault at a time is put, episode after episode. `found` is the part
of episodes with any fault said of that signal, `named` with the right one; `false` counts what is said on
rows with no fault, for 1,000 readings. Sizes are in standard deviations of what was learned from.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.detect.__main__ import data_folder
from bench.detect.series import SETS, Series
from bench.detect.shipped import batch_of
from bimetal.learn.dataset import History
from bimetal.learn.detector import gate_program, input_names
from bimetal.learn.gate import DECIMAL, gated, usual_of_history
from bimetal.learn.kin import kin_of_history
from bimetal.learn.metric.count import runs_of
from bimetal.learn.search import design_for
from bimetal.learn.sense import run
from bimetal.nouns.event import Fault
from bimetal.packs.machine.simulator import simulate
from bimetal.targets.present import fastest

Floats = NDArray[np.float64]
LENGTH = {
    Fault.STUCK: 120, Fault.SPIKE: 1, Fault.DRIFT: 240, Fault.NOISE: 80, Fault.OFFSET: 100, Fault.DROPOUT: 80,
    Fault.OUT_OF_RANGE: 10, Fault.UNIT: 60, Fault.MISSING: 100,
}  # fmt: skip
"""So many readings an episode lasts."""
SPIKE, OFFSET, DRIFT, NOISE = 8.0, 6.0, 8.0, 3.0
"""Sizes in standard deviations of what was learned from."""
BEYOND = 1.5
"""A clear fault is at least so many times what the signal did of itself: its range, or largest change."""
LATE = 4
"""So many readings after its end a fault may still be named."""
PAUSE = 160
LEAST = 1500
WEEK_S = 604_800.0


@dataclass(frozen=True, slots=True)
class Episode:
    """Signal, first and last row of a fault that was put in."""

    signal: int
    first: int
    last: int


def healthy_series(folder: Path) -> Iterator[tuple[str, Floats, float]]:
    """Yield sets' longest stretches without anomaly, and healthy machines, with seconds between readings."""
    for name in ("nab", "tsb_ad"):
        for series in SETS[name](folder):
            first, last = max(runs_of(series.labels == 0), key=lambda run: run[1] - run[0])
            if last - first >= LEAST:
                yield name, series.values[first : min(last + 1, first + 8000)], series.period_s
    table = np.loadtxt(
        folder / "skab/anomaly-free/anomaly-free.csv", delimiter=";", skiprows=1, usecols=range(1, 9)
    )
    yield "skab", table, 1.0
    batch, _ = simulate("healthy", 3, 300.0, 10.0, 5)
    for machine in range(3):
        yield "plant", batch.values[batch.device == machine], 0.1


def size_of(known: Floats, kind: Fault, clear: bool) -> float:
    """Return the size of a fault of one signal (n,), for a `clear` one beyond what the signal itself does."""
    spread = max(float(known.std()), 1e-9)
    plain = {Fault.SPIKE: SPIKE, Fault.OFFSET: OFFSET, Fault.DRIFT: DRIFT, Fault.NOISE: NOISE}.get(
        kind, 0.0
    ) * spread
    if not clear:
        return plain
    natural = np.ptp(known) if kind in (Fault.OFFSET, Fault.DRIFT) else np.abs(np.diff(known)).max()
    return max(plain, BEYOND * float(natural))


def injected(
    values: Floats, known: Floats, kind: Fault, seed: int, clear: bool
) -> tuple[Floats, list[Episode]]:
    """Return readings with episodes of one kind, and where they are.

    A signal that never moved in what was learned from is left alone, and so are units that would not show.
    """
    rng = np.random.default_rng([seed, int(kind)])
    faulty, episodes, at = values.copy(), list[Episode](), 200
    while at + LENGTH[kind] + 8 < len(values):
        signal = int(rng.integers(values.shape[1]))
        rows = slice(at, at + LENGTH[kind])
        past, x = known[:, signal], values[rows, signal]
        says = broken(x, size_of(past, kind, clear), past, kind, rng)
        room = BEYOND * np.ptp(past) if clear else 0.0
        shows = kind is not Fault.UNIT or not past.min() - room <= np.median(says) <= past.max() + room
        shows &= kind is not Fault.STUCK or not clear or 3 * longest_rest(past) < LENGTH[kind]
        if np.ptp(past) > 0 and shows:
            faulty[rows, signal] = says
            episodes.append(Episode(signal, at, at + LENGTH[kind] - 1))
        at += LENGTH[kind] + PAUSE + int(rng.integers(40))
    return faulty, episodes


def longest_rest(known: Floats) -> int:
    """Return for how many readings a signal (n,) stood still at the most."""
    return max((b - a + 2 for a, b in runs_of(np.diff(known) == 0)), default=1)


def broken(x: Floats, size: float, known: Floats, kind: Fault, rng: np.random.Generator) -> Floats:
    """Return what a broken sensor says instead of x."""
    sign = float(rng.choice((-1.0, 1.0)))
    match kind:
        case Fault.STUCK:
            return np.full(len(x), x[0])
        case Fault.SPIKE:
            return x + sign * size
        case Fault.OFFSET:
            return x + sign * size
        case Fault.DRIFT:
            return x + sign * size * np.arange(1, len(x) + 1) / len(x)
        case Fault.NOISE:
            return x + size * rng.standard_normal(len(x))
        case Fault.DROPOUT:
            return np.where(rng.random(len(x)) < 0.5, np.nan, x)
        case Fault.OUT_OF_RANGE:
            return np.full(len(x), known.max() + 1e5 * np.ptp(known))
        case Fault.UNIT:
            factor, offset = DECIMAL[int(rng.integers(len(DECIMAL)))]
            return factor * x + offset
        case _:
            return np.full(len(x), np.nan)


@dataclass(slots=True)
class Sum:
    """What was counted of one kind on one set."""

    episodes: int = 0
    found: int = 0
    named: int = 0
    false: int = 0
    readings: int = 0

    def add(self, episodes: list[Episode], said: NDArray[np.int32], kind: Fault) -> None:
        """Judge what was said, (n, s) numbers of faults."""
        clear = np.ones(said.shape, bool)
        for e in episodes:
            part = said[e.first : e.last + 1 + LATE, e.signal]
            self.episodes += 1
            self.found += bool((part != 0).any())
            self.named += bool((part == kind).any())
            clear[e.first : e.last + PAUSE // 2] = False
        self.readings += int(clear.sum())
        for k in range(said.shape[1]):
            self.false += sum(bool(clear[a, k]) for a, _ in runs_of(said[:, k] != 0))


def judged(
    values: Floats, seed: int, clear: bool, chance: float
) -> Iterator[tuple[Fault, list[Episode], NDArray[np.int32]]]:
    """Learn the gate, then yield for every kind its episodes and what the gate says."""
    cut = int(0.6 * len(values))
    known, rest = values[:cut], values[cut:]
    history = History(batch_of(series_of(known), slice(None)).signals)
    history.add(batch_of(series_of(known), slice(None)))
    target = fastest()
    names = input_names([s.name for s in history.signals])
    usual = usual_of_history(history)
    kin = kin_of_history(history, usual)
    design = design_for(len(names), len(known), bool(kin))
    learned = gated(history, design, names, usual, kin, target, chance)["device"]
    program, draft = gate_program(design, names)
    block = {name: learned.get(name, start) for name, start in draft.values.items()}
    for kind in (*LENGTH, Fault.HEALTHY):
        faulty, episodes = injected(rest, known, kind, seed, clear) if kind else (rest, list[Episode]())
        out = np.concatenate(list(run(program, block, names, faulty, target)))
        fault, looks = out["fault"].reshape(len(rest), -1), out["looks"].reshape(len(rest), -1)
        yield kind, episodes, np.where(fault != 0, fault, looks)


def series_of(values: Floats) -> Series:
    """Return readings as a series without labels."""
    return Series("", values, np.zeros(len(values), np.int64), len(values), 1.0)


def main() -> int:
    """Print a line for every kind and set."""
    asked = argparse.ArgumentParser(
        prog="python -m bench.quality", description=(__doc__ or "").split("\n")[0]
    )
    asked.add_argument("--quick", action="store_true", help="every fourth series only")
    given = asked.parse_args()
    for clear in (False, True):
        print(f"\nfaults {'beyond what the signal does of itself' if clear else 'of fixed size'}")
        table(healthy_series(data_folder()), clear, 4 if given.quick else 1)
    return 0


def table(series: Iterator[tuple[str, Floats, float]], clear: bool, every: int) -> None:
    """Measure, and print a line for every kind with a column for every set."""
    sums: dict[tuple[str, Fault], Sum] = {}
    for number, (name, values, period_s) in enumerate(series):
        if number % every == 0:
            for kind, episodes, said in judged(values, number, clear, period_s / WEEK_S):
                for one in (name, "all"):
                    sums.setdefault((one, kind), Sum()).add(episodes, said, kind)
    names = list(dict.fromkeys(name for name, _ in sums))
    print(f"{'':14s}" + "".join(f"{name:>24s}" for name in names))
    print(f"{'':14s}" + "".join(f"{'found named false/1000':>24s}" for _ in names))
    for kind in (*LENGTH, Fault.HEALTHY):
        cells = ""
        for name in names:
            s = sums[name, kind]
            part = [f"{x / s.episodes:6.2f}" if s.episodes else "     -" for x in (s.found, s.named)]
            cells += f"{' '.join(part)} {1000 * s.false / max(s.readings, 1):9.2f}".rjust(24)
        print(f"{kind.name.lower():14s}{cells}")


if __name__ == "__main__":
    sys.exit(main())
