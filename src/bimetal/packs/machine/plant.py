"""Plant: a number of pumps and motors that run, age, and fail on schedule."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns import Batch, Signal
from bimetal.nouns.errors import BadInput
from bimetal.packs.machine.fault import (
    BEARING_WEAR,
    BLOCKED_FILTER,
    CONTEXT_KINDS,
    CURRENT_IMBALANCE,
    IDLE,
    LOOSE_SENSOR,
    OVERHEATING,
    OVERLOAD,
    PROCESS_KINDS,
    SIGNALS,
    STUCK_SENSOR,
    Fault,
    device_names,
    truth_of,
)
from bimetal.packs.truth import Truth

Floats = NDArray[np.float64]

DAY_S = 10.0
"""A day of the plant, with its shifts, in seconds of the simulation."""

BURN_IN_S = 20.0
_BLOCK = 256
_NORMALS = 7 + 4 * len(SIGNALS)
_UNIFORMS = 1 + len(SIGNALS)

# What the process itself adds, as a part of one: slip, back pressure, mains voltage, cavitation.
_PROCESS = np.array([0.003, 0.02, 0.02, 0.035])

# In the order of SIGNALS: slow drift, coloured and white noise of each sensor (one sigma), the size of
# a loose contact's jumps, and the number of decimals it shows.
_DRIFT = np.array([0.02, 0.15, 0.04, 0.010, 1.0])
_COLOURED = np.array([0.05, 0.08, 0.07, 0.015, 1.5])
_WHITE = np.array([0.04, 0.08, 0.08, 0.015, 1.2])
_LOOSE = np.array([0.9, 8.0, 4.0, 1.0, 160.0])
_DECIMALS = (3, 2, 3, 3, 1)


class Plant:
    """Pumps with their motors: load drives current and speed, speed drives pressure, all drive heat.

    Load follows a daily shift pattern (compressed to 10 s), wanders, and steps now and then, harmlessly;
    every machine has its own size and offsets. `advance` gives the readings of all machines up to a
    time; however it is called, the same seed gives the same numbers, and machine i is the same in a
    plant of any size. Signals: vibration mm/s, temperature Cel, current A, pressure bar, speed /min.

    Raises BadInput for impossible numbers.
    """

    def __init__(
        self,
        faults: Sequence[Fault] = (),
        *,
        machines: int = 12,
        rate_hz: float = 10.0,
        seed: int = 0,
        start_ns: int = 0,
    ) -> None:
        _check(machines, rate_hz, seed)
        self.devices = device_names(machines)
        self.signals = _signals(rate_hz)
        self._faults = _Faults(faults, machines)
        self._plan = tuple(faults)
        self._rate_hz = rate_hz
        self._start_ns = start_ns
        self._noise = _Noise(machines, seed)
        self._machines = _Machines(self._noise, 1.0 / rate_hz)
        self._shown = np.zeros((machines, len(SIGNALS)))
        self._next = -math.ceil(BURN_IN_S * rate_hz)
        while self._next < 0:
            self._sample()

    def truth(self) -> tuple[Truth, ...]:
        """Return what was planned, as devices and times."""
        return truth_of(self._plan, len(self.devices), self._start_ns)

    def advance(self, t_s: float) -> Batch:
        """Return the readings from where the last call ended up to `t_s` seconds, in order of time."""
        steps = max(0, math.floor(t_s * self._rate_hz + 1e-6) + 1 - self._next)
        numbers = np.arange(self._next, self._next + steps)
        machines = len(self.devices)
        values = np.empty((steps, machines, len(SIGNALS)))
        for step in range(steps):
            values[step] = self._sample()
        time_ns = self._start_ns + np.rint(numbers * (1e9 / self._rate_hz)).astype(np.int64)
        return Batch(
            self.devices,
            self.signals,
            np.repeat(time_ns, machines),
            np.tile(np.arange(machines, dtype=np.int32), steps),
            values.reshape(-1, len(SIGNALS)),
        )

    def _sample(self) -> Floats:
        at_s = self._next / self._rate_hz
        self._next += 1
        normals, uniforms = self._noise.next()
        self._faults.move_to(at_s)
        clean = self._machines.step(at_s, normals, uniforms, self._faults.strength)
        loose, stuck = self._faults.loose, self._faults.stuck
        jump = (uniforms[:, 1:] < 0.6) * normals[:, -len(SIGNALS) :] * _LOOSE
        seen = clean + loose * jump
        for column, decimals in enumerate(_DECIMALS):
            seen[:, column] = np.round(seen[:, column], decimals)
        self._shown = np.where(stuck, self._shown, np.maximum(seen, 0.0))
        return self._shown


class _Noise:
    """Random numbers, from one generator per machine, so that machines do not depend on each other."""

    def __init__(self, machines: int, seed: int) -> None:
        self._generators = [np.random.default_rng([seed, number]) for number in range(machines)]
        self._at = _BLOCK
        self._normals = self._uniforms = np.empty((0, 0, 0))

    def spread(self, count: int) -> Floats:
        """Return numbers in -1..1, `count` for every machine, to be drawn before any other."""
        return np.array([one.uniform(-1, 1, count) for one in self._generators]).T

    def next(self) -> tuple[Floats, Floats]:
        """Return the normals (machines, _NORMALS) and uniforms (machines, _UNIFORMS) of one step."""
        if self._at == _BLOCK:
            drawn = [
                (one.standard_normal((_BLOCK, _NORMALS)), one.random((_BLOCK, _UNIFORMS)))
                for one in self._generators
            ]
            self._normals = np.stack([normals for normals, _ in drawn], axis=1)
            self._uniforms = np.stack([uniforms for _, uniforms in drawn], axis=1)
            self._at = 0
        self._at += 1
        return self._normals[self._at - 1], self._uniforms[self._at - 1]


class _Machines:
    """The physics, one step at a time, for all machines at once."""

    def __init__(self, noise: _Noise, step_s: float) -> None:
        spread = noise.spread(11)
        machines = spread.shape[1]
        self._load_mean = 0.60 + 0.05 * spread[0]
        self._season = 0.13 + 0.03 * spread[1]
        self._phase = math.pi * spread[2]
        self._speed = 1480.0 * (1 + 0.02 * spread[3])
        self._pressure = 4.0 * (1 + 0.10 * spread[4])
        self._current = 12.0 * (1 + 0.10 * spread[5])
        self._vibration = 2.0 * (1 + 0.15 * spread[6])
        self._rise = 35.0 * (1 + 0.08 * spread[7])
        self._ambient = 22.0 + 2.0 * spread[8]
        heat_s = 1.5 * (1 + 0.15 * spread[9])
        self._changes = step_s / (8.0 * (1 + 0.3 * spread[10]))
        self._keep = {tau_s: math.exp(-step_s / tau_s) for tau_s in (0.3, 0.4, 1.0, 1.5, 90.0)}
        self._keep_heat = np.exp(-step_s / heat_s)
        self._wander, self._weather, self._level, self._target = (np.zeros(machines) for _ in range(4))
        self._process = np.zeros((machines, len(_PROCESS)))
        self._drift = np.zeros((machines, len(SIGNALS)))
        self._colour = np.zeros((machines, len(SIGNALS)))
        self._heat = self._ambient + 0.6 * self._rise

    def step(self, at_s: float, normals: Floats, uniforms: Floats, faults: dict[str, Floats]) -> Floats:
        """Return what perfect sensors of all machines would add up to with their noise, (machines, 5)."""
        load = self._next_load(at_s, normals, uniforms) + 0.6 * faults[OVERLOAD] - 0.4 * faults[IDLE]
        self._process = self._wandered(self._process, 0.4, 1.0, normals[:, 3:7])
        slip, back_pressure, voltage, cavitation = (1 + self._process * _PROCESS).T
        speed = self._speed * (0.80 + 0.25 * load) * slip
        turns = speed / self._speed
        pressure = self._pressure * turns**2 * back_pressure * (1 - 0.12 * faults[BLOCKED_FILTER])
        current = self._current * (0.35 + 0.65 * load * turns) * voltage
        current = current * (1 + 0.10 * faults[BLOCKED_FILTER] + 0.20 * faults[CURRENT_IMBALANCE])
        vibration = self._vibration * turns**2 * (0.8 + 0.4 * load) * cavitation
        vibration = vibration * (1 + 0.42 * faults[BEARING_WEAR] + 0.20 * faults[CURRENT_IMBALANCE])
        warmed = (
            self._rise * (0.25 + 0.75 * (current / self._current) ** 2) * (1 + 0.52 * faults[OVERHEATING])
        )
        settles = self._ambient + self._weather + warmed + 5.0 * faults[BEARING_WEAR]
        self._heat = settles + (self._heat - settles) * self._keep_heat
        clean = np.stack([vibration, self._heat, current, pressure, speed], axis=1)
        return clean + self._next_noise(normals)

    def _next_load(self, at_s: float, normals: Floats, uniforms: Floats) -> Floats:
        day = 2 * math.pi * at_s / DAY_S
        shifts = np.tanh(1.2 * np.sin(day + self._phase)) + 0.25 * np.sin(2 * day + 3 * self._phase)
        self._wander = self._wandered(self._wander, 1.5, 0.035, normals[:, 0])
        self._weather = self._wandered(self._weather, 90.0, 0.3, normals[:, 1])
        changed = uniforms[:, 0] < self._changes
        fresh = 0.06 * np.tanh(normals[:, 2])  # never larger than what the days bring
        self._target = np.where(changed, fresh, self._target)
        self._level = self._target + (self._level - self._target) * self._keep[1.0]
        return np.clip(self._load_mean + self._season * shifts + self._wander + self._level, 0.15, 1.05)

    def _next_noise(self, normals: Floats) -> Floats:
        count = len(SIGNALS)
        drift, colour, white = (normals[:, 7 + i * count : 7 + (i + 1) * count] for i in range(3))
        self._drift = self._wandered(self._drift, 90.0, 1.0, drift)
        self._colour = self._wandered(self._colour, 0.3, 1.0, colour)
        return self._drift * _DRIFT + self._colour * _COLOURED + white * _WHITE

    def _wandered(self, state: Floats, tau_s: float, sigma: float, normals: Floats) -> Floats:
        """Return the next value of noise with this memory and spread (Ornstein-Uhlenbeck, exact step)."""
        keep = self._keep[tau_s]
        return keep * state + sigma * math.sqrt(1 - keep * keep) * normals


class _Faults:
    """How strong each fault is at an instant: by machine for the process, by sensor for the rest."""

    def __init__(self, faults: Sequence[Fault], machines: int) -> None:
        self._faults = sorted(faults, key=lambda fault: fault.start_s)
        self._begun: list[Fault] = []
        self._upcoming = 0
        self._machines = machines
        self._clear()

    def move_to(self, at_s: float) -> None:
        """Set all strengths to what they are at this time, which never goes back."""
        while self._upcoming < len(self._faults) and self._faults[self._upcoming].start_s <= at_s:
            self._begun.append(self._faults[self._upcoming])
            self._upcoming += 1
        if not self._begun:
            return
        self._clear()
        self._begun = [fault for fault in self._begun if at_s < fault.end_s]
        for fault in self._begun:
            grown = min(1.0, (at_s - fault.start_s) / fault.ramp_s) if fault.ramp_s > 0 else 1.0
            if fault.kind == STUCK_SENSOR:
                self.stuck[fault.machine, SIGNALS.index(fault.signal)] = True
            elif fault.kind == LOOSE_SENSOR:
                self.loose[fault.machine, SIGNALS.index(fault.signal)] = grown * fault.severity
            else:
                self.strength[fault.kind][fault.machine] = grown * fault.severity

    def _clear(self) -> None:
        self.strength = {kind: np.zeros(self._machines) for kind in (*PROCESS_KINDS, *CONTEXT_KINDS)}
        self.loose = np.zeros((self._machines, len(SIGNALS)))
        self.stuck = np.zeros((self._machines, len(SIGNALS)), dtype=bool)


def _signals(rate_hz: float) -> tuple[Signal, ...]:
    period_s = 1.0 / rate_hz
    return (
        Signal("vibration", "mm/s", "vibration velocity, RMS", period_s, 0.0, 50.0),
        Signal("temperature", "Cel", "bearing housing temperature", period_s, -40.0, 200.0),
        Signal("current", "A", "motor current, RMS", period_s, 0.0, 100.0),
        Signal("pressure", "bar", "discharge pressure", period_s, 0.0, 16.0),
        Signal("speed", "/min", "shaft speed", period_s, 0.0, 3600.0),
    )


def _check(machines: int, rate_hz: float, seed: int) -> None:
    if not 1 <= machines <= 1_000:
        raise BadInput(f"a plant has 1 to 1000 machines, not {machines}")
    if not 0.01 <= rate_hz <= 1_000:
        raise BadInput(f"a plant is sampled 0.01 to 1000 times a second, not {rate_hz:g}")
    if seed < 0:
        raise BadInput(f"a seed is zero or more, not {seed}")
