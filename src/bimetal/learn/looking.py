"""Looking: what the readings around an alarm show, and what a label would change about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bimetal.learn.feedback import LEAST_ROOM, grafted, looked, units_of
from bimetal.learn.label import Looked, Pattern, Verdict, episode_of, patterns_of, rise_of
from bimetal.learn.sense import Values, run
from bimetal.nouns.device import FLEET
from bimetal.nouns.errors import BadInput
from bimetal.program.program import Program
from bimetal.targets.target import Target

NEAR = 64
"""An alarm, or what should have been one, is looked for within so many rows of the time that was given."""
LONGEST = 2000
"""So many rows before and after an alarm tell what it is like, and what is usual."""
DAY_NS = 86_400_000_000_000


@dataclass(frozen=True, slots=True)
class Stretch:
    """Readings (n, s) of a device in the order of their times (n,)."""

    device: str
    time_ns: NDArray[np.int64]
    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Detector:
    """A detector that can be run: its program, the values of every device, its inputs, and where."""

    program: Program
    values: Mapping[str, Values]
    names: Sequence[str]
    target: Target

    def look(self, seen: Stretch) -> Looked:
        """Return what its score was made of, without what labels say."""
        made = grafted(self.program, LEAST_ROOM)
        known = {p.name for p in made.program.params}
        mine = self.of(seen.device)
        plain = {name: value for name, value in mine.items() if name in known}
        plain |= units_of(mine) | {
            f"known_{name}": np.zeros(shape)
            for name, shape in (
                ("shape", (LEAST_ROOM, 4, seen.values.shape[1])),
                ("reach", LEAST_ROOM),
                ("most", LEAST_ROOM),
                ("gain", LEAST_ROOM),
            )
        }
        return looked(np.concatenate(list(run(made.looking, plain, self.names, seen.values, self.target))))

    def alarms(self, seen: Stretch) -> int:
        """Return how many alarms begin in a stretch."""
        on = self.outputs(seen)["alarm"] != 0
        return int(np.count_nonzero(np.diff(on.astype(np.int8), prepend=0) == 1))

    def outputs(self, seen: Stretch, values: Values | None = None) -> NDArray[Any]:
        """Return what it puts out for a stretch, with its device's values or with others."""
        mine = self.of(seen.device) if values is None else values
        return np.concatenate(list(run(self.program, mine, self.names, seen.values, self.target)))

    def of(self, device: str) -> Values:
        """Return the values of a device, the fleet's for one never met."""
        return self.values.get(device, self.values[FLEET])


def around(time_ns: int, period_s: float, rows: int = LONGEST) -> tuple[int, int]:
    """Return from when to when readings are looked at for an alarm at a time, so many before and after."""
    reach = round(rows * period_s * 1e9) if period_s > 0 else DAY_NS
    return time_ns - reach, time_ns + reach + 1


def patterns_at(
    detector: Detector, mine: Stretch, beside: Sequence[Stretch], time_ns: int, verdict: Verdict
) -> tuple[Pattern, ...]:
    """Return the patterns of the alarm of a device at a time; `beside`: readings of other devices.

    What was a fault need not have raised an alarm. Raises BadInput where there is nothing to learn from.
    """
    if not len(mine.time_ns):
        raise BadInput(
            f"there are no readings of {mine.device!a} around that time", hint="Look at --device, --time"
        )
    at = max(int(np.searchsorted(mine.time_ns, time_ns, side="right")) - 1, 0)
    seen = detector.look(mine)
    try:
        part = episode_of(seen.score, at, NEAR)
    except BadInput:
        if verdict is not Verdict.FAULT:
            raise
        part = rise_of(seen.score, at, NEAR)
    return patterns_of(seen, part, verdict, [detector.look(one) for one in beside])
