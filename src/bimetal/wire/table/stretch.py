"""Stretch: rows on their way from a source's blocks to batches, their time not yet put in order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.batch import Batch
from bimetal.nouns.signal import Signal


@dataclass(frozen=True, slots=True)
class TableBatch:
    """Rows of a table as a batch, with what a batch has no room for.

    For n rows: `row_numbers` (n,) count from 0 in the order of the file, header left out;
    `time_text` (n,) is the time as the file writes it; `time_ok` (n,) is False where it could
    not be read and the row got the time before it; `labels` (n,) is True where the label
    column calls a row anything but healthy, None without such a column.
    """

    batch: Batch
    row_numbers: NDArray[np.int64]
    time_text: NDArray[np.str_]
    time_ok: NDArray[np.bool_]
    labels: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.batch)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rows as columns, shapes as in TableBatch; `device` counts into a list kept elsewhere."""

    ns: NDArray[np.int64]
    ok: NDArray[np.bool_]
    device: NDArray[np.int32]
    values: NDArray[np.float64]
    rows: NDArray[np.int64]
    text: NDArray[np.bytes_]
    labels: NDArray[np.bool_] | None

    def __len__(self) -> int:
        return len(self.ns)

    def take(self, rows: NDArray[np.intp] | slice) -> Stretch:
        """Return some of the rows, in the order asked for."""
        labels = None if self.labels is None else self.labels[rows]
        return Stretch(
            self.ns[rows],
            self.ok[rows],
            self.device[rows],
            self.values[rows],
            self.rows[rows],
            self.text[rows],
            labels,
        )

    def batch(self, devices: Sequence[str], signals: Sequence[Signal]) -> TableBatch:
        """Make a batch of the rows, whose times must be in order by now."""
        batch = Batch(tuple(devices), tuple(signals), self.ns, self.device, self.values)
        return TableBatch(batch, self.rows, decoded(self.text), self.ok, self.labels)


def joined(stretches: Iterable[Stretch]) -> Stretch:
    """Put stretches one after the other. Raises ValueError when there are none."""
    parts = list(stretches)
    if len(parts) == 1:
        return parts[0]
    labels = (
        None if parts[0].labels is None else np.concatenate([p.labels for p in parts if p.labels is not None])
    )
    return Stretch(
        np.concatenate([p.ns for p in parts]),
        np.concatenate([p.ok for p in parts]),
        np.concatenate([p.device for p in parts]),
        np.concatenate([p.values for p in parts]),
        np.concatenate([p.rows for p in parts]),
        np.concatenate([p.text for p in parts]),
        labels,
    )


def decoded(cells: NDArray[np.bytes_]) -> NDArray[np.str_]:
    """Decode cells from UTF-8, all at once where they are plain ASCII, blanks around them taken off."""
    width = max(cells.dtype.itemsize, 1)
    matrix = np.ascontiguousarray(cells).view(np.uint8).reshape(len(cells), width)
    if len(matrix) and matrix.max() >= 128:
        return np.array([c.decode("utf-8", "replace").strip() for c in cells.tolist()], dtype=np.str_)
    text = matrix.astype(np.uint32).reshape(-1).view(f"U{width}")
    edged = len(matrix) and bool((matrix[:, 0] == 32).any() or (matrix[:, -1] == 32).any())
    return np.strings.strip(text) if edged else text
