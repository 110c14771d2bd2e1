"""Plant: the simulated machines whose faults are known, learned from their first 30 seconds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bimetal.explain.explainer import Explainer
from bimetal.learn.calibrate import parse_budget
from bimetal.learn.dataset import History
from bimetal.learn.train import train
from bimetal.nouns import Batch, Event
from bimetal.nouns.device import FLEET
from bimetal.packs.judge import Verdict, judge
from bimetal.packs.machine.simulator import simulate
from bimetal.program.block import pack
from bimetal.stream.feed import feed_of
from bimetal.stream.scorer import DeviceState, Scorer
from bimetal.targets.present import fastest

MACHINES, SECONDS, LEARN_S, RATE_HZ = 12, 240.0, 30.0, 10.0


@dataclass(frozen=True, slots=True)
class Shift:
    """One run of the plant: the verdict, and for how many device-days it was watched."""

    verdict: Verdict
    days: float

    def missed(self) -> str:
        """Name what was missed."""
        return ", ".join(f"{t.kind} of {t.device} ({', '.join(t.signals)})" for t in self.verdict.missed)


def shift(seed: int, scenario: str = "faults", learn_s: float = LEARN_S) -> Shift:
    """Learn from the first seconds of a run of the plant, and judge what is said about the rest."""
    batch, truth = simulate(scenario, MACHINES, SECONDS, RATE_HZ, seed, learn_s=learn_s)
    early = batch.time_ns < learn_s * 1e9
    verdict = judge(truth, _events(_part(batch, early), _part(batch, ~early)))
    return Shift(verdict, MACHINES * (SECONDS - learn_s) / 86_400)


def _events(known: Batch, rest: Batch) -> Iterator[Event]:
    history = History(known.signals)
    history.add(known)
    target = fastest()
    learned = train(history, parse_budget("1/week"), target, 1 / RATE_HZ, lambda _stage, _part: None)
    program, card = learned.program, learned.card
    blocks = {device: pack(program, values) for device, values in learned.values.items()}
    scorer = Scorer(
        program,
        feed_of(program, [s.name for s in card.signals]),
        lambda device: target.load(program, blocks.get(device, blocks[FLEET])),
        Explainer(card.signal_list(), card.usual),
    )
    states: dict[str, DeviceState] = {}
    for part in (known, rest):
        after, scored = scorer.advance(states, part)
        states |= after
        yield from (e for e in scored.events if part is rest)


def _part(batch: Batch, rows: np.ndarray) -> Batch:
    return Batch(batch.devices, batch.signals, batch.time_ns[rows], batch.device[rows], batch.values[rows])


def report(seeds: int) -> Iterator[str]:
    """Yield lines: what was found and what was false, seed by seed."""
    found = injected = false = 0
    days = 0.0
    for seed in range(seeds):
        run = shift(seed)
        verdict = run.verdict
        found, injected = found + len(verdict.found), injected + verdict.injected
        false, days = false + len(verdict.false), days + run.days
        if verdict.missed:
            yield f"seed {seed} missed {run.missed()}"
        for event in verdict.false:
            yield f"seed {seed} false {event.time_ns / 1e9:.1f} s {event.kind}: {event.sentence}"
    yield f"plant: {found} of {injected} faults found, {false} false, in {days:.2f} device-days"
