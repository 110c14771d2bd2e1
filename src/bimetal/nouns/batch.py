"""Batch: many readings as columns, the only thing carried between rooms."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.errors import BadInput
from bimetal.nouns.signal import Signal


def those_named(
    devices: Sequence[str], device: NDArray[np.int32]
) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """Return the devices that have rows, and each row's device (n,) as an index into those."""
    has_rows = np.bincount(device, minlength=len(devices)) > 0
    if has_rows.all():
        return tuple(devices), device.astype(np.int32, copy=False)
    names = tuple(devices[k] for k in np.flatnonzero(has_rows).tolist())
    return names, (np.cumsum(has_rows, dtype=np.int32) - 1)[device]


@dataclass(frozen=True, slots=True)
class Batch:
    """Readings of one or more devices as columns, in the order they are to be used.

    Shapes, for n rows and s signals: `time_ns` (n,) int64, nanoseconds since 1970 UTC;
    `device` (n,) int32, an index into `devices`; `values` (n, s) float64, NaN where a
    reading is missing. Within a device, times never go backwards.

    Raises BadInput when shapes, types or the order of time do not hold.
    """

    devices: tuple[str, ...]
    signals: tuple[Signal, ...]
    time_ns: NDArray[np.int64]
    device: NDArray[np.int32]
    values: NDArray[np.float64]

    def __post_init__(self) -> None:
        rows = len(self.time_ns)
        if self.values.shape != (rows, len(self.signals)) or self.device.shape != (rows,):
            raise BadInput(
                f"a batch of {rows} rows and {len(self.signals)} signals cannot hold values of shape "
                f"{self.values.shape} and devices of shape {self.device.shape}"
            )
        types = (self.time_ns.dtype, self.device.dtype, self.values.dtype)
        if types != (np.dtype(np.int64), np.dtype(np.int32), np.dtype(np.float64)):
            raise BadInput(f"a batch needs int64 times, int32 devices and float64 values, not {types}")
        if rows and not (self.device.min() >= 0 and self.device.max() < len(self.devices)):
            raise BadInput("a batch names a device it does not list")
        if rows and not self._in_order():
            raise BadInput("times go backwards within a device", hint="Sort each device's rows by time")

    def __len__(self) -> int:
        return len(self.time_ns)

    @property
    def readings(self) -> int:
        """How many values are there, missing ones left out."""
        return int(np.count_nonzero(~np.isnan(self.values)))

    def rows_of(self, device: int) -> NDArray[np.intp]:
        """Return the row numbers of one device, by its index, in their order."""
        return np.flatnonzero(self.device == device)

    def rows_among(self, wanted: Collection[str]) -> NDArray[np.bool_]:
        """Say of each row (n,) whether it is of one of these devices."""
        return np.array([d in wanted for d in self.devices], bool)[self.device]

    def of_devices(self, wanted: Collection[str]) -> Batch:
        """Return the rows of these devices, in their order."""
        if all(d in wanted for d in self.devices):
            return self
        rows = self.rows_among(wanted)
        names, device = those_named(self.devices, self.device[rows])
        return Batch(names, self.signals, self.time_ns[rows], device, self.values[rows])

    def _in_order(self) -> bool:
        if bool((np.diff(self.time_ns) >= 0).all()):
            return True
        by_device = np.argsort(self.device, kind="stable")
        step = np.diff(self.time_ns[by_device])
        same = np.diff(self.device[by_device]) == 0
        return bool((step[same] >= 0).all())
