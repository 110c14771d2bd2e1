"""Small plants and events for the tests of the door."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from bimetal.api import Live
from bimetal.nouns.batch import Batch
from bimetal.nouns.device import Device
from bimetal.nouns.event import Cause, Event, Kind, Reason
from bimetal.nouns.signal import Signal

SECOND = 10**9
BEGIN = 1_700_000_000 * SECOND
SIGNALS = (Signal("pressure", "bar", period_s=1.0), Signal("flow", "l/min", period_s=1.0))


def small(**options: float) -> Live:
    """Two pumps with two signals each."""
    live = Live(**{"window_s": 600.0, "rows": 1000, **options})
    live.set_plant("Pump house", [Device("pump-1", kind="pump"), "pump-2"], SIGNALS)
    return live


def rows(at: ArrayLike, values: ArrayLike, device: str = "pump-1") -> Batch:
    """A batch of one device: seconds after the beginning, and a value for each signal or for both."""
    seconds = np.atleast_1d(np.asarray(at, float))
    wide = np.asarray(values, float)
    if wide.ndim < 2:
        wide = np.repeat(np.broadcast_to(wide, seconds.shape)[:, None], len(SIGNALS), axis=1)
    time_ns = BEGIN + (seconds * SECOND).astype(np.int64)
    return Batch((device,), SIGNALS, time_ns, np.zeros(len(seconds), np.int32), np.ascontiguousarray(wide))


def event(
    kind: Kind = Kind.ALARM,
    device: str = "pump-1",
    at: float = 10,
    since: float = 5,
    cause: Cause = Cause.PROCESS,
    sentence: str = "Pressure is above usual.",
) -> Event:
    """An event, times in seconds after the beginning."""
    reasons = (
        Reason("pressure", 0.7, 4.2, 2.9, 3.5, "bar"),
        Reason("flow", 0.2, float("nan"), 1.0, 2.0, "l/min"),
    )
    return Event(
        kind,
        device,
        BEGIN + int(at * SECOND),
        1.7,
        kind is Kind.ALARM,
        cause,
        reasons if kind is Kind.ALARM else (),
        sentence,
        BEGIN + int(since * SECOND),
    )
