"""Again: rows of a device that were just run, run once more to ask what would have been said of others.

Nothing is kept for it: states before a row are found by running the batch up to it a second time, and only
where an alarm begins.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from bimetal.stream.feed import Feed
from bimetal.stream.runs import Runs, RunsMany


class Again:
    """One device's rows (n,) of a batch with the state before them; rows are asked about in their order."""

    def __init__(
        self, running: Runs, state: bytes, rows: NDArray[Any], outputs: NDArray[Any], feed: Feed
    ) -> None:
        self._running, self._state, self._rows, self._feed = running, state, rows, feed
        self._outputs = outputs
        self._at = 0

    def said(self, at: int, name: str) -> float | None:
        """Return what the program put out at a row; None for an output it has not."""
        if name not in (self._outputs.dtype.names or ()):
            return None
        return float(self._outputs[name][at])

    def alarms(self, at: int, signal: int, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return whether there would be an alarm at a row, had one signal been each of these values (m,)."""
        if at < self._at:
            raise IndexError(f"row {at} is before row {self._at}, which was asked about already")
        if at > self._at:
            self._state, _, _ = self._running.run(self._state, self._rows[self._at : at])
            self._at = at
        rows = np.repeat(self._rows[at : at + 1], len(values))
        inputs = self._feed.inputs
        if len(inputs) == 1 and rows.dtype[inputs[0]].shape:
            rows[inputs[0]][:, signal] = values
        else:
            rows[inputs[signal]] = values
        return self._each(rows)["alarm"].reshape(-1) != 0

    def _each(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Run each row for itself from the state before."""
        if not hasattr(self._running, "run_devices"):
            return np.concatenate(
                [self._running.run(self._state, rows[k : k + 1])[1] for k in range(len(rows))]
            )
        states = np.tile(np.frombuffer(self._state, np.uint8), (len(rows), 1))
        _, outputs, _ = cast("RunsMany", self._running).run_devices(states, rows[:, None])
        return outputs[:, 0]
