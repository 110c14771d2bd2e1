"""A thousand devices that nothing happens to: false alarms delivered against those promised.

Run: python -m bench.promise [--devices N] [--kind KIND] [--quick]. Every device has readings of its own that
go on just as in the history that was learned from: their own level and swing, several kinds of memory and of
tails. One model is learned from all histories together; then each device is watched for several times the
time in which one alarm is allowed. Printed for each kind and promise:

    delivered   alarms raised to alarms promised, over all devices
    above       the part of devices that raised more than promised and the eight in reserve: 0 by construction
    over        the part that raised more than promised at all: with Poisson alarms at the promised rate, 42 %
                of devices would where ten are allowed, 37 % where four are
    held back   alarms that the budget did not allow, for each promised one
    drift       devices that were said to have changed, and how many the test allows itself at most
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bimetal.learn.calibrate import parse_budget
from bimetal.learn.dataset import History
from bimetal.learn.sense import run
from bimetal.learn.train import Learned, train
from bimetal.nouns import Batch, Signal
from bimetal.nouns.device import FLEET
from bimetal.program.operators.budgeted_alarm import BudgetedAlarm
from bimetal.targets.present import fastest

Floats = NDArray[np.float64]
PERIOD_S = 60.0
RESERVE = BudgetedAlarm().burst


@dataclass(frozen=True, slots=True)
class Kind:
    """How readings are made: how many signals, their memory from one to the next, and Student's tails."""

    name: str
    signals: int
    memory: float
    tails: float

    def readings(self, rows: int, device: int, later: int) -> Floats:
        """Return (rows, signals) of a device; `later` 0 for its history, 1 for what it is watched on."""
        rng = np.random.default_rng([device, later, self.signals])
        own = np.random.default_rng([device, self.signals])
        level, swing = own.uniform(10, 90, self.signals), own.uniform(0.5, 2, self.signals)
        drawn = rng.standard_t(self.tails, (rows + 200, self.signals + 1))
        common = drawn[:, -1:]
        moved = 0.7 * common + 0.7 * drawn[:, :-1] if self.signals > 1 else drawn[:, :-1]
        for k in range(1, len(moved)) if self.memory else ():
            moved[k] += self.memory * moved[k - 1]
        return level + swing * moved[200:]


KINDS = (
    Kind("white", 1, 0.0, 1e6),
    Kind("memory .9", 1, 0.9, 1e6),
    Kind("heavy tails", 1, 0.5, 4.0),
    Kind("four signals", 4, 0.9, 1e6),
)


@dataclass(slots=True)
class Outcome:
    """What was counted on all devices of one kind."""

    devices: int = 0
    promised: float = 0.0
    raised: int = 0
    above: int = 0
    over: int = 0
    held_back: int = 0
    drifted: int = 0
    drift_allowed: float = 0.0

    @property
    def delivered(self) -> float:
        """Alarms raised to alarms promised."""
        return self.raised / self.promised


def batch(values: Floats, device: str) -> Batch:
    """Readings (n, s) of one device as a batch."""
    signals = tuple(Signal(f"signal {k + 1}", period_s=PERIOD_S) for k in range(values.shape[1]))
    time_ns = np.arange(len(values), dtype=np.int64) * int(PERIOD_S * 1e9)
    return Batch((device,), signals, time_ns, np.zeros(len(values), np.int32), values)


def taught(kind: Kind, devices: int, rows: int, budget: str) -> Learned:
    """Learn one model from the histories of all devices."""
    history = History(batch(np.zeros((1, kind.signals)), "").signals)
    for device in range(devices):
        history.add(batch(kind.readings(rows, device, 0), f"device {device}"))
    return train(history, parse_budget(budget), fastest(), PERIOD_S, lambda _stage, _part: None)


def watched(kind: Kind, learned: Learned, devices: int, rows: int, budget: str) -> Outcome:
    """Watch what goes on as before on every device."""
    promised = parse_budget(budget).per_second * PERIOD_S * rows
    names = tuple(i.name for i in learned.program.inputs)
    found = Outcome(devices, promised * devices)
    for device in range(devices):
        block = learned.values.get(f"device {device}") or learned.values[FLEET]
        outputs = np.concatenate(
            list(run(learned.program, block, names, kind.readings(rows, device, 1), fastest()))
        )
        raised = int(np.count_nonzero(np.diff((outputs["alarm"] != 0).astype(np.int8), prepend=0) == 1))
        found.raised += raised
        found.above += raised > promised + RESERVE
        found.over += raised > promised
        found.held_back += int(outputs["held_back"].max())
        found.drifted += bool((outputs["drift"] != 0).any())
    blocks = rows / 256
    found.drift_allowed = devices * blocks / learned.values[FLEET]["drift_patience"]
    return found


def outcomes(devices: int, quick: bool, kinds: Sequence[Kind]) -> Iterator[tuple[Kind, str, int, Outcome]]:
    """Yield what came of every kind, promise and length of history."""
    settings = (
        (("1/day", 6000, 10),) if quick else (("1/day", 6000, 10), ("1/day", 1500, 10), ("1/week", 6000, 4))
    )
    for kind in kinds:
        for budget, rows, times in settings:
            learned = taught(kind, devices, rows, budget)
            span = round(times / (parse_budget(budget).per_second * PERIOD_S))
            yield kind, budget, rows, watched(kind, learned, devices, span, budget)


def main() -> int:
    """Print a line for every kind, promise and length of history."""
    asked = argparse.ArgumentParser(
        prog="python -m bench.promise", description=(__doc__ or "").split("\n")[0]
    )
    asked.add_argument("--devices", type=int, default=1000)
    asked.add_argument("--quick", action="store_true", help="one promise only")
    asked.add_argument("--kind", choices=[k.name for k in KINDS], help="readings of one kind only")
    given = asked.parse_args()
    kinds = [k for k in KINDS if given.kind in (None, k.name)]
    print(f"{given.devices} devices, a reading a minute")
    print(
        f"{'readings':14s}{'promise':>9s}{'history':>9s}{'delivered':>11s}{'above':>7s}{'over':>7s}", end=""
    )
    print(f"{'held back':>11s}{'drift':>7s}{'allowed':>9s}{'s':>6s}")
    began_s = time.monotonic()
    for kind, budget, rows, o in outcomes(given.devices, given.quick, kinds):
        print(f"{kind.name:14s}{budget:>9s}{rows:9d}{o.delivered:11.2f}{o.above / o.devices:7.3f}", end="")
        print(f"{o.over / o.devices:7.3f}{o.held_back / o.promised:11.3f}{o.drifted:7d}", end="")
        print(f"{o.drift_allowed:9.1f}{time.monotonic() - began_s:6.0f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
