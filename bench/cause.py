"""How often the cause that an alarm names is the true one. Run: python -m bench.cause [--seeds N].

The simulated plant gets one kind of trouble at a time: of the process, of a sensor (its own kinds, and the
very excursion that a fault of the process makes, on that one signal alone), and another way of running. Of
each trouble the first alarm, or event of a sensor, counts. Printed are the confusion table, and by the
confidence that was told how often the cause was right: from seeds 0 to 12 come those in explain/explainer.py.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from bench.feedback import taught
from bimetal.explain.explainer import Explainer
from bimetal.learn.train import Learned
from bimetal.nouns import Batch, Cause, Event, Kind
from bimetal.nouns.device import FLEET
from bimetal.packs.machine.fault import CONTEXT_KINDS, PROCESS_KINDS, SENSOR_KINDS, SIGNALS
from bimetal.packs.machine.simulator import simulate
from bimetal.packs.truth import Truth
from bimetal.program.block import pack
from bimetal.stream.feed import feed_of
from bimetal.stream.scorer import DeviceState, Scorer
from bimetal.targets.present import fastest

MACHINES, SECONDS, LEARN_S, RATE_HZ = 12, 240.0, 60.0, 10.0
SAME = "same excursion"
STEPS = (0.0, 0.3, 0.5, 0.7, 0.9, 1.01)


@dataclass(frozen=True, slots=True)
class Case:
    """A kind of trouble, the readings with it, and what was done."""

    kind: str
    batch: Batch
    truth: tuple[Truth, ...]


def cases(seed: int) -> Iterator[Case]:
    """Yield the troubles; those of the process also as if one sensor alone had shown them."""
    healthy, _ = simulate("healthy", MACHINES, SECONDS, RATE_HZ, seed, learn_s=LEARN_S)
    for kind in (*PROCESS_KINDS, *SENSOR_KINDS, *CONTEXT_KINDS):
        batch, truth = simulate(kind, MACHINES, SECONDS, RATE_HZ, seed, learn_s=LEARN_S)
        yield Case(kind, batch, truth)
        if kind in PROCESS_KINDS:
            column = SIGNALS.index(PROCESS_KINDS[kind][0])
            values = healthy.values.copy()
            values[:, column] = batch.values[:, column]
            alone = tuple(replace(t, cause=Cause.SENSOR, kind=SAME) for t in truth)
            yield Case(SAME, replace(batch, values=values), alone)


def scorer_of(learned: Learned) -> Scorer:
    """Return what runs and explains what was learned."""
    card, target = learned.card, fastest()
    blocks = {device: pack(learned.program, values) for device, values in learned.values.items()}
    return Scorer(
        learned.program,
        feed_of(learned.program, [s.name for s in card.signals]),
        lambda device: target.load(learned.program, blocks.get(device, blocks[FLEET])),
        Explainer(card.signal_list(), card.usual),
    )


def first_said(events: Sequence[Event], one: Truth) -> Event | None:
    """Return the first alarm of a trouble, or else the first event of a sensor."""
    mine = [
        e
        for e in events
        if e.device == one.device and one.start_ns <= e.time_ns < one.end_ns and e.kind is not Kind.CLEARED
    ]
    alarms = [e for e in mine if e.kind is Kind.ALARM]
    return next(iter(alarms or [e for e in mine if e.kind is Kind.QUALITY]), None)


def sign_of(event: Event) -> str:
    """Name the sign that a cause was told from."""
    if event.kind is Kind.QUALITY:
        return "sensor alone"
    if event.cause is Cause.PROCESS:
        return "process, but looks like a sensor" if "looks like" in event.sentence else "process"
    return str(event.cause)


def main() -> None:
    """Print both tables."""
    asked = argparse.ArgumentParser(prog="python -m bench.cause")
    asked.add_argument("--seeds", type=int, default=3)
    confused: dict[str, Counter[str]] = defaultdict(Counter)
    right: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    asked.add_argument("--first", type=int, default=0, help="the first seed")
    given = asked.parse_args()
    for seed in range(given.first, given.first + given.seeds):
        early = None
        for case in cases(seed):
            if early is None:
                rows = np.flatnonzero(case.batch.time_ns < LEARN_S * 1e9)
                b = case.batch
                early = Batch(b.devices, b.signals, b.time_ns[rows], b.device[rows], b.values[rows])
                scorer = scorer_of(taught(early, "1/week", 1 / RATE_HZ))
            states: dict[str, DeviceState] = {}
            events = scorer.advance(states, case.batch)[1].events
            for one in case.truth:
                said = first_said(events, one)
                confused[f"{one.cause}: {one.kind}"][str(said.cause) if said else "missed"] += 1
                if said:
                    right[sign_of(said)].append((said.confidence, said.cause is one.cause))
    names = [*map(str, Cause), "missed"]
    print(f"{'true cause':<32}" + "".join(f"{n:>10}" for n in names))
    for kind, counts in sorted(confused.items()):
        print(f"{kind:<32}" + "".join(f"{counts[n]:>10}" for n in names))
    print(f"\n{'sign and confidence':<40}{'told':>6}{'right':>7}{'of':>5}")
    for sign, were in sorted(right.items()):
        told, held = np.mean(were, axis=0)
        print(f"{sign:<40}{told:>6.2f}{held:>7.2f}{len(were):>5}")
        for low, high in pairwise(STEPS):
            some = [(c, r) for c, r in were if low <= c < high]
            if some and len(some) < len(were):
                told, held = np.mean(some, axis=0)
                print(f"  {low:.1f} to {high:.1f}{told:>37.2f}{held:>7.2f}{len(some):>5}")


if __name__ == "__main__":
    main()
