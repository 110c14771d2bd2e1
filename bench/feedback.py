"""What labels change, on the simulated plant and on public data. Run: python -m bench.feedback [SET...].

"Not a fault": of one kind of trouble the first alarm is labelled, everywhere; counted are later troubles of
that kind that still raise an alarm, and those of all other kinds, before and after. In public data nobody
knows kinds: the false alarms of the first half are labelled, up to eight, and the second half is counted.
"This was a fault": the first alarm of a kind is labelled; counted is how much sooner the later ones come.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from bench.detect.__main__ import PROMISE_ROWS, data_folder
from bench.detect.series import SETS, Series
from bench.detect.shipped import batch_of
from bimetal.learn.calibrate import parse_budget
from bimetal.learn.dataset import History
from bimetal.learn.feedback import grafted, knowing, looked
from bimetal.learn.label import Label, Looked, Verdict, episode_of, patterns_of
from bimetal.learn.sense import rows_of
from bimetal.learn.train import Learned, train
from bimetal.nouns import Batch
from bimetal.nouns.device import FLEET
from bimetal.packs.machine.simulator import simulate
from bimetal.packs.truth import Truth
from bimetal.program.block import pack
from bimetal.program.layout import initial_state
from bimetal.program.program import Program
from bimetal.targets.present import fastest

KINDS = ("bearing_wear", "blocked_filter", "overheating", "current_imbalance")
MOST_LABELS = 8
HOLD = 16
MACHINES, SECONDS, LEARN_S, RATE_HZ = 12, 600.0, 60.0, 10.0
DEVICE = "device"
Alarms = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Track:
    """One device's rows, and what looking at them shows: raw scores (n,) and shapes."""

    device: str
    values: NDArray[np.float64]
    time_ns: NDArray[np.int64]


def begins(learned: Learned, labels: Sequence[Label], track: Track) -> Alarms:
    """Return the rows at which alarms begin, with what the labels say."""
    if labels:
        known = knowing(learned.program, learned.values, learned.card, labels)
        program, values = known.program, known.values
    else:
        program, values = learned.program, learned.values
    out = ran(program, values.get(track.device, values[FLEET]), track)
    return np.flatnonzero(np.diff((out["alarm"] != 0).astype(np.int8), prepend=0) == 1)


def ran(program: Program, values: dict[str, object], track: Track) -> NDArray[np.void]:
    """Run a track through a program."""
    running = fastest().load(program, pack(program, values))
    rows = rows_of(program, tuple(i.name for i in program.inputs), track.values)
    return running.run(initial_state(program), rows)[1]


def label_of(
    learned: Learned, track: Track, at: int, verdict: Verdict, number: int = 1, beside: Sequence[Track] = ()
) -> Label:
    """Label the alarm that begins at a row, by what was seen of this and other devices until it ended."""
    known = knowing(learned.program, learned.values, learned.card, ())
    looking = grafted(learned.program, 4).looking
    seen, *others = (
        looked(ran(looking, known.values.get(t.device, known.values[FLEET]), t)) for t in (track, *beside)
    )
    part = episode_of(seen.score, at, HOLD)
    until = slice(0, part.stop)
    seen, *others = (Looked(one.score[until], one.shape[until]) for one in (seen, *others))
    patterns = patterns_of(seen, part, verdict, others)
    time_ns = int(track.time_ns[at])
    return Label(number, verdict, f"kind {number}", track.device, time_ns, 0, "", True, patterns)


def taught(batch: Batch, budget: str, period_s: float) -> Learned:
    """Learn from a batch."""
    history = History(batch.signals)
    history.add(batch)
    return train(history, parse_budget(budget), fastest(), period_s, lambda _stage, _part: None)


def plant(seed: int) -> Iterator[str]:
    """Yield a line for every kind of trouble of the plant."""
    batch, truth = simulate("faults", MACHINES, SECONDS, RATE_HZ, seed, learn_s=LEARN_S)
    early = batch.time_ns < LEARN_S * 1e9
    learned = taught(
        Batch(batch.devices, batch.signals, batch.time_ns[early], batch.device[early], batch.values[early]),
        "1/week",
        1 / RATE_HZ,
    )
    tracks = [
        Track(d, batch.values[batch.device == k], batch.time_ns[batch.device == k])
        for k, d in enumerate(batch.devices)
    ]
    before = {t.device: begins(learned, (), t) for t in tracks}
    for kind in KINDS:
        mine = sorted((t for t in truth if t.kind == kind), key=lambda t: t.start_ns)
        first = next((t for t in mine if _delay(before, tracks, t) is not None), None)
        if first is None:
            continue
        later = [t for t in mine if t.start_ns > first.start_ns]
        others = [t for t in truth if t.kind != kind]
        track = next(t for t in tracks if t.device == first.device)
        at = _row(before[first.device], track, first)
        for verdict in Verdict:
            label = label_of(learned, track, at, verdict, beside=[t for t in tracks if t is not track])
            after = {t.device: begins(learned, [label], t) for t in tracks}
            figures = [
                f"{sum(_delay(b, tracks, t) is not None for t in some)}/{len(some)}"
                for some in (later, others)
                for b in (before, after)
            ]
            late = [[_delay(b, tracks, t) for t in later] for b in (before, after)]
            both = [(x, y) for x, y in zip(*late, strict=True) if x is not None and y is not None]
            rows = [f"{np.mean([p[k] for p in both]):.1f}" for k in (0, 1)] if both else ["-", "-"]
            false = [sum(_false(b[t.device], t, truth) for t in tracks) for b in (before, after)]
            yield (
                f"plant {seed} {kind:<18} {verdict:<12} patterns {len(label.patterns)}  "
                f"its kind {figures[0]} -> {figures[1]}  others {figures[2]} -> {figures[3]}  "
                f"rows until found {rows[0]} -> {rows[1]}  false {false[0]} -> {false[1]}"
            )


def _row(alarms: Alarms, track: Track, one: Truth) -> int:
    times = track.time_ns[alarms]
    return int(alarms[(times >= one.start_ns) & (times < one.end_ns)][0])


def _delay(found: dict[str, Alarms], tracks: Sequence[Track], one: Truth) -> int | None:
    track = next(t for t in tracks if t.device == one.device)
    times = track.time_ns[found[one.device]]
    hits = times[(times >= one.start_ns) & (times < one.end_ns)]
    return round((int(hits[0]) - one.start_ns) * 1e-9 * RATE_HZ) if len(hits) else None


def _false(alarms: Alarms, track: Track, truth: Sequence[Truth]) -> int:
    times = track.time_ns[alarms]
    mine = [t for t in truth if t.device == track.device]
    return sum(
        t >= LEARN_S * 1e9 and not any(f.start_ns <= t < f.settled_ns for f in mine) for t in times.tolist()
    )


@dataclass(frozen=True, slots=True)
class Counted:
    """Of the second halves: labels given, false alarms and events found, before and after."""

    labels: int = 0
    false: tuple[int, int] = (0, 0)
    found: tuple[int, int] = (0, 0)
    events: int = 0

    def plus(self, other: Counted) -> Counted:
        """Add."""
        pairs = [
            (a[0] + b[0], a[1] + b[1]) for a, b in ((self.false, other.false), (self.found, other.found))
        ]
        return Counted(self.labels + other.labels, pairs[0], pairs[1], self.events + other.events)


def series(one: Series) -> Counted:
    """Label the false alarms of the first half, and count in the second."""
    learned = taught(batch_of(one, slice(0, one.learn)), "1/week", 604_800 / PROMISE_ROWS)
    track = Track(DEVICE, one.values, np.arange(len(one.values), dtype=np.int64))
    before = begins(learned, (), track)
    half = (one.learn + len(one.values)) // 2
    wrong = [a for a in before.tolist() if one.learn <= a < half and not one.labels[a]][:MOST_LABELS]
    labels = [label_of(learned, track, a, Verdict.NOT_A_FAULT, k + 1) for k, a in enumerate(wrong)]
    after = begins(learned, labels, track)
    edges = np.flatnonzero(np.diff(one.labels, prepend=0, append=0))
    spans = [(a, b) for a, b in edges.reshape(-1, 2).tolist() if a >= half]
    false, found = [], []
    for alarms in (before, after):
        late = alarms[alarms >= half]
        false.append(int((one.labels[late] == 0).sum()))
        found.append(sum(bool(((late >= a) & (late < b)).any()) for a, b in spans))
    return Counted(len(labels), (false[0], false[1]), (found[0], found[1]), len(spans))


def main() -> None:
    """Print the plant's lines, then one for every set."""
    asked = argparse.ArgumentParser(
        prog="python -m bench.feedback", description=(__doc__ or "").split("\n")[0]
    )
    asked.add_argument("sets", nargs="*", help=f"from: plant, {', '.join(SETS)}")
    asked.add_argument("--seeds", type=int, default=2)
    asked.add_argument("--every", type=int, default=1, help="take every so many series")
    given = asked.parse_args()
    sets = given.sets or ["plant", "nab", "skab", "smd"]
    for seed in range(given.seeds if "plant" in sets else 0):
        for line in plant(seed):
            print(line, flush=True)
    for name in (s for s in sets if s != "plant"):
        whole, all_of = Counted(), 0
        for one in islice(SETS[name](data_folder()), 0, None, given.every):
            whole, all_of = whole.plus(series(one)), all_of + 1
        print(
            f"{name}: {all_of} series, {whole.labels} labels; second halves: false alarms "
            f"{whole.false[0]} -> {whole.false[1]}, events found {whole.found[0]} -> {whole.found[1]} "
            f"of {whole.events}",
            flush=True,
        )


if __name__ == "__main__":
    main()
