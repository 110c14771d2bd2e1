"""Fault: what can go wrong with a machine of the simulated plant, and when it does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bimetal.nouns import Cause
from bimetal.nouns.errors import BadInput, NotFound
from bimetal.packs.truth import Truth

SIGNALS = ("vibration", "temperature", "current", "pressure", "speed")
HEALTHY, MIXED = "healthy", "faults"

BEARING_WEAR, BLOCKED_FILTER, OVERHEATING = "bearing_wear", "blocked_filter", "overheating"
CURRENT_IMBALANCE, LOOSE_SENSOR, STUCK_SENSOR = "current_imbalance", "loose_sensor", "stuck_sensor"

PROCESS_KINDS = {
    BEARING_WEAR: ("vibration", "temperature"),
    BLOCKED_FILTER: ("pressure", "current"),
    OVERHEATING: ("temperature",),
    CURRENT_IMBALANCE: ("current", "vibration"),
}
SENSOR_KINDS = (LOOSE_SENSOR, STUCK_SENSOR)
KINDS = (*PROCESS_KINDS, *SENSOR_KINDS)
OVERLOAD, IDLE = "overload", "idle"
CONTEXT_KINDS = {
    OVERLOAD: ("current", "temperature", "vibration", "speed", "pressure"),
    IDLE: ("current", "temperature", "vibration", "speed", "pressure"),
}
"""A sound machine that is run in a way it never was before."""
SCENARIOS = (HEALTHY, MIXED, *KINDS, *CONTEXT_KINDS)

AFTER_LEARNING_S = 8.0
BEFORE_END_S = 12.0
SHORTEST_S, LONGEST_S = 10.0, 16.0
REST_S = 30.0
RAMPS_S = (0.0, 2.0, 4.0)
COOLING_S = 8.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one machine (by number), in seconds from the plant's beginning.

    It grows to `severity` over `ramp_s` seconds (0: at once) and is mended at `end_s`. Severity 1
    moves a signal three to six times its own healthy variation, or breaks how signals go together by
    as much. `signal` is the sensor at fault, empty for faults of the process.
    """

    machine: int
    kind: str
    start_s: float
    end_s: float
    severity: float
    ramp_s: float
    signal: str = ""

    @property
    def cause(self) -> Cause:
        """Whether the machine or only a sensor is at fault, or neither: it is run in another way."""
        if self.kind in CONTEXT_KINDS:
            return Cause.CONTEXT
        return Cause.SENSOR if self.signal else Cause.PROCESS

    @property
    def signals(self) -> tuple[str, ...]:
        """The signals that show it, the most telling first."""
        return (self.signal,) if self.signal else (PROCESS_KINDS | CONTEXT_KINDS)[self.kind]


def device_names(machines: int) -> tuple[str, ...]:
    """Return the names of a plant's machines, in the order of their numbers."""
    return tuple(f"pump-{number + 1:02d}" for number in range(machines))


def truth_of(faults: Sequence[Fault], machines: int, start_ns: int) -> tuple[Truth, ...]:
    """Return planned faults as devices and times, for a plant that begins at `start_ns`."""
    names = device_names(machines)

    def truth(fault: Fault) -> Truth:
        begins_ns, ends_ns = (start_ns + round(t_s * 1e9) for t_s in (fault.start_s, fault.end_s))
        settled_ns = ends_ns if fault.signal else ends_ns + round(COOLING_S * 1e9)
        return Truth(
            names[fault.machine], fault.kind, begins_ns, ends_ns, settled_ns, fault.signals, fault.cause
        )

    return tuple(truth(fault) for fault in faults)


def plan_faults(scenario: str, machines: int, seconds: float, learn_s: float, seed: int) -> tuple[Fault, ...]:
    """Plan the faults of a run: none in the first `learn_s` seconds, then one machine after another.

    A quarter of four or more machines stays healthy throughout. Each fault lasts 10 to 16 s and
    begins at least 12 s before the end; a machine rests 30 s between two. The same arguments give
    the same plan. Raises NotFound for an unknown scenario, BadInput when the run is too short.
    """
    if scenario not in SCENARIOS:
        raise NotFound(f"there is no scenario {scenario}", hint=f"Use one of: {', '.join(SCENARIOS)}")
    if scenario == HEALTHY:
        return ()
    first_s, last_s = learn_s + AFTER_LEARNING_S, seconds - BEFORE_END_S
    if not (learn_s >= 0 and first_s <= last_s + 1e-9 < math.inf):
        shortest_s = learn_s + AFTER_LEARNING_S + BEFORE_END_S
        raise BadInput(
            f"{seconds:g} seconds are too short for a fault after {learn_s:g} seconds of learning",
            hint=f"Use at least {shortest_s:g} seconds",
        )
    chance = np.random.default_rng([seed, 0xFA])
    kinds = list(chance.permutation(KINDS)) if scenario == MIXED else [scenario]
    at_risk = chance.permutation(machines)[: machines - machines // 4 if machines >= 4 else machines]
    pause_s = min(max((last_s - first_s) / len(KINDS), 4.0), 25.0)
    free_s = dict.fromkeys(at_risk.tolist(), 0.0)
    faults: list[Fault] = []
    for turn in range(int((last_s - first_s) / pause_s + 1e-9) + 1):
        start_s = first_s + turn * pause_s
        # The one that has rested longest; with few machines nobody may be ready yet.
        machine = min(free_s, key=lambda one: free_s[one])
        if free_s[machine] <= start_s:
            fault = _fault(str(kinds[len(faults) % len(kinds)]), machine, start_s, seconds, chance)
            free_s[machine] = fault.end_s + REST_S
            faults.append(fault)
    return tuple(faults)


def _fault(kind: str, machine: int, start_s: float, seconds: float, chance: np.random.Generator) -> Fault:
    end_s = min(start_s + float(chance.uniform(SHORTEST_S, LONGEST_S)), seconds)
    severity, ramp_s = float(chance.uniform(1.0, 1.2)), float(chance.choice(RAMPS_S))
    signal = str(chance.choice(SIGNALS))
    if kind not in SENSOR_KINDS:
        return Fault(machine, kind, start_s, end_s, severity, ramp_s)
    return Fault(machine, kind, start_s, end_s, severity, 0.0, signal)
