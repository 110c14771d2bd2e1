"""Simulator: the plant's readings for a whole run at once, with what was done to them."""

from __future__ import annotations

from bimetal.nouns import Batch
from bimetal.nouns.errors import BadInput
from bimetal.packs.machine.fault import AFTER_LEARNING_S, BEFORE_END_S, plan_faults
from bimetal.packs.machine.plant import Plant
from bimetal.packs.truth import Truth

MOST_ROWS = 20_000_000


def simulate(
    scenario: str,
    machines: int = 12,
    seconds: float = 120.0,
    rate_hz: float = 10.0,
    seed: int = 0,
    *,
    learn_s: float | None = None,
    start_ns: int = 0,
) -> tuple[Batch, tuple[Truth, ...]]:
    """Return `seconds * rate_hz` readings of every machine, and the faults among them.

    The first `learn_s` seconds are healthy; not given, half of the run, less of a very short one. The
    same arguments give the same numbers, and the same as `Plant.advance` gives bit by bit. Raises
    NotFound for an unknown scenario, BadInput for impossible numbers.
    """
    if not 0 < seconds * rate_hz * machines <= MOST_ROWS:
        raise BadInput(
            f"{machines} machines for {seconds:g} s at {rate_hz:g} readings a second cannot be simulated",
            hint=f"Ask for at most {MOST_ROWS} rows, and more than none",
        )
    if learn_s is None:
        learn_s = max(0.0, min(seconds / 2, seconds - AFTER_LEARNING_S - BEFORE_END_S))
    faults = plan_faults(scenario, machines, seconds, learn_s, seed)
    plant = Plant(faults, machines=machines, rate_hz=rate_hz, seed=seed, start_ns=start_ns)
    return plant.advance((round(seconds * rate_hz) - 1) / rate_hz), plant.truth()
