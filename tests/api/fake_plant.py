"""A made-up plant that feeds a Live: machines that sway, a fault, a sensor that dies, a silence."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import time
from dataclasses import dataclass, field

import numpy as np

from bimetal.api import BudgetRow, Live, ModelView, Parity, UsualRange, create_app, serving
from bimetal.nouns.batch import Batch
from bimetal.nouns.device import Device
from bimetal.nouns.event import Cause, Event, Kind, Reason
from bimetal.nouns.signal import Signal

SIGNALS = (
    Signal("pressure", "bar", period_s=0.1),
    Signal("flow", "l/min", period_s=0.1),
    Signal("vibration", "mm/s", period_s=0.1),
    Signal("current", "A", period_s=0.1),
    Signal("temperature", "Cel", period_s=0.1),
)
CENTRE = np.array([3.2, 48.0, 1.9, 8.1, 43.0])
SWAY = np.array([0.12, 1.5, 0.12, 0.25, 0.8])
NOISE = np.array([0.03, 0.4, 0.08, 0.06, 0.05])
PERIOD_NS = 100_000_000


@dataclass
class FakePlant:
    """Readings of `machines` machines, made for any stretch of time from one seed."""

    live: Live
    machines: int = 8
    seed: int = 7
    silent: int | None = 6
    faulty: int | None = 2
    deaf: int | None = 4
    now_ns: int = field(default_factory=time.time_ns)

    def __post_init__(self) -> None:
        self.names = tuple(f"pump-{i + 1}" for i in range(self.machines))
        self.random = np.random.default_rng(self.seed)
        devices = [
            Device(n, kind="centrifugal pump", place=f"hall {1 + i // 4}") for i, n in enumerate(self.names)
        ]
        self.live.set_plant("Pump house", devices, SIGNALS)

    def readings(self, steps: int, *, trouble: bool = False) -> None:
        """Feed that many steps of 0.1 s of every machine."""
        times = self.now_ns + PERIOD_NS * np.arange(1, steps + 1)
        for at in range(self.machines):
            values = self._values(at, times, trouble=trouble)
            kept = np.ones(steps, bool)
            if trouble and at == self.silent:
                kept[:] = False
            self._feed(at, times[kept], values[kept], trouble=trouble and at == self.faulty)
        self.now_ns = int(times[-1])

    def learned(self) -> None:
        """Show a model and begin to watch."""
        usual = tuple(
            UsualRange(
                name,
                s.name,
                float(CENTRE[j] * (1 + 0.02 * i) - 1.9 * SWAY[j]),
                float(CENTRE[j] * (1 + 0.02 * i) + 1.9 * SWAY[j]),
            )
            for i, name in enumerate(self.names)
            for j, s in enumerate(SIGNALS)
        )
        budget = (
            BudgetRow("flash", 9_840, 65_536, "B"),
            BudgetRow("state in RAM", 1_912, 16_384, "B"),
            BudgetRow("parameters", 412, 2_048, ""),
            BudgetRow("time a reading", 61.0, 1000.0, "us"),
        )
        card = ModelView(
            "pumps-1",
            "3f9a1c77e04b52d8",
            "20 s of 8 machines, 40 signals",
            budget,
            Parity(("numpy", "wasm", "c99"), 512, True),
            usual,
            1 / 7,
            "one a week for each machine",
            "on Cortex-M4",
        )
        self.live.set_model(card)
        self.live.set_stage("watching", 1.0)
        self.live.set_counters(faults_injected=3, faults_found=3, false_alarms=0, p99_ms=4.2)

    def alarms(self) -> None:
        """Raise a process alarm, a sensor alarm and one that is over."""
        since = self.now_ns - 21 * 10**9
        reasons = (
            Reason("vibration", 0.62, 3.41, 1.75, 2.21, "mm/s"),
            Reason("current", 0.24, 9.31, 7.9, 8.9, "A"),
            Reason("temperature", 0.09, 45.1, 43.2, 46.2, "Cel"),
        )
        self.live.add_event(
            Event(
                Kind.ALARM,
                "pump-3",
                self.now_ns,
                2.31,
                True,
                Cause.PROCESS,
                reasons,
                "Vibration is far above usual while the current rises.",
                since,
            )
        )
        stuck = (Reason("flow", 0.93, 51.84, 49.0, 54.7, "l/min"),)
        self.live.add_event(
            Event(
                Kind.ALARM,
                "pump-5",
                self.now_ns,
                1.46,
                True,
                Cause.SENSOR,
                stuck,
                "The flow sensor repeats one value: it may be stuck.",
                since + 2 * 10**9,
            )
        )
        old = Event(
            Kind.ALARM,
            "pump-8",
            since - 40 * 10**9,
            1.2,
            True,
            Cause.PROCESS,
            reasons[:1],
            "Pressure dropped below usual.",
            since - 60 * 10**9,
        )
        self.live.add_event(old)
        self.live.add_event(
            Event(
                Kind.CLEARED,
                "pump-8",
                since - 30 * 10**9,
                0.4,
                False,
                Cause.PROCESS,
                (),
                "Back to usual.",
                old.since_ns,
            )
        )

    async def go_on(self, *, trouble: bool = True) -> None:
        """Feed one step every 0.1 s until cancelled."""
        while True:
            await asyncio.sleep(max(0.0, (self.now_ns + PERIOD_NS - time.time_ns()) / 1e9))
            self.readings(1, trouble=trouble)

    def _values(self, at: int, times: np.ndarray, *, trouble: bool) -> np.ndarray:
        seconds = (times % 10**12)[:, None] / 1e9
        speed = np.array([0.021, 0.034, 0.055, 0.027, 0.013]) + 0.0013 * at
        values = CENTRE * (1 + 0.02 * at) + SWAY * np.sin(2 * np.pi * speed * seconds + at)
        values = values + 0.35 * SWAY * np.sin(2 * np.pi * 2.7 * speed * seconds + 2 * at)
        values = values + NOISE * self.random.standard_normal(values.shape)
        if trouble and at == self.faulty:
            values[:, 2] += 1.4 + 0.3 * self.random.standard_normal(len(times))
            values[:, 3] += 0.9
        if trouble and at == self.deaf:
            values[:, 1] = 51.84
        return values

    def _feed(self, at: int, times: np.ndarray, values: np.ndarray, *, trouble: bool) -> None:
        if not len(times):
            return
        rows = np.zeros(len(times), np.int32)
        self.live.add_batch(Batch((self.names[at],), SIGNALS, times, rows, values))
        if self.live.model is not None:
            noise = 0.05 * self.random.standard_normal(len(times))
            self.live.add_scores(self.names[at], times, (2.2 if trouble else 0.31) + noise)


def hostile(live: Live) -> None:
    """Fill the page with names and sentences that would break a careless one."""
    names = ["<img src=x onerror=alert(1)>", "long-" + "x" * 100, "Насос 1 💧", "مضخة"]
    signals = [Signal("<b>bold</b>", "<i>"), Signal("y" * 200, "Cel"), Signal("huge", "1"), Signal("never")]
    live.set_plant("<h1>" + "title " * 40, names, signals)
    time_ns = time.time_ns() + PERIOD_NS * np.arange(-300, 0)
    values = np.outer(np.sin(np.arange(300)), [1, 1e300, 1e30, np.nan])
    values[::7] = np.inf
    for at, name in enumerate(names):
        live.add_batch(Batch((name,), tuple(signals), time_ns + at, np.zeros(300, np.int32), values))
        live.add_scores(name, time_ns, values[:, 0] * 1e9)
    reasons = (Reason("y" * 200, 7.0, float("nan"), float("-inf"), float("inf"), "</li>"),)
    words = "<script>alert(1)</script> " + "z" * 300 + "\u202e"
    for name in names:
        live.add_event(
            Event(Kind.ALARM, name, 2**62, float("inf"), True, Cause.PROCESS, reasons, words, -(2**62))
        )
    live.set_model(ModelView("m" * 90, "", "<p>", (BudgetRow("b" * 90, float("nan"), 0, "c" * 90),), None))
    live.set_stage("watching", 1.0, "w" * 300)


async def play(port: int, stage: str) -> None:
    """Serve a plant in the given stage until interrupted."""
    live = Live(window_s=120)
    if stage == "empty":
        live.set_plant("Pump house", [], [])
    if stage == "hostile":
        hostile(live)
    made = stage in ("learning", "watching")
    plant = FakePlant(live, now_ns=time.time_ns() - 120 * 10**9) if made else None
    if plant and stage == "learning":
        plant.readings(600)
        plant.now_ns = time.time_ns() - 30 * 10**9
        plant.readings(300)
        live.set_stage("learning", 0.62, "About 12 s more; alarms begin after that.")
    if plant and stage == "watching":
        plant.learned()
        plant.readings(500)
        plant.now_ns += 4 * 10**9
        plant.readings(440)
        plant.readings(220, trouble=True)
        plant.alarms()
    async with serving(create_app(live), port=port) as url:
        print(url, flush=True)
        await (plant.go_on(trouble=stage == "watching") if plant else asyncio.Event().wait())


if __name__ == "__main__":
    asked = argparse.ArgumentParser()
    asked.add_argument("--port", type=int, default=8765)
    asked.add_argument("--stage", choices=("empty", "learning", "watching", "hostile"), default="watching")
    chosen = asked.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(play(chosen.port, chosen.stage))
