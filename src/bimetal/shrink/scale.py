"""Scale: what a step of an i8 is worth, found from the values that were seen.

Method: Jacob and others, "Quantization and training of neural networks for efficient integer-arithmetic-only
inference", CVPR 2018, with zero in the middle, a scale for each row of weights, and the step with the least
squared error among those that cut off the farthest values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

MOST = 127
SHARES = (1.0, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)
"""What parts of the greatest size are tried as the end of an i8."""
ENOUGH = 200_000
"""More values than that are thinned."""
MARGIN = 1.1
"""A device will meet readings a little beyond those that were seen."""
LEAST = 1e-12
LONGEST_SHIFT, LEAST_SHIFT = 31, 16
MOST_SCALE = 2**15 - 1
MOST_BIAS = 2**27
FINEST = MOST_SCALE / 2**LEAST_SHIFT
"""The greatest factor from a sum to a result."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Weights in whole numbers (rows, ...), biases (rows,), and what a step of each sum is worth (rows,)."""

    weights: Whole
    bias: Whole
    step: Floats


def step_of(values: Floats) -> float:
    """Return the step with which values, zero in the middle, lose least."""
    seen = np.abs(values.reshape(-1)[:: max(1, values.size // ENOUGH)])
    greatest = float(seen.max(initial=0.0))
    if greatest < LEAST:
        return 1.0 / MOST
    found: list[tuple[float, float]] = []
    for share in SHARES:
        step = share * greatest / MOST
        lost = np.minimum(np.round(seen / step), MOST) * step - seen
        found.append((float(np.square(lost).mean()), step))
    return min(found)[1]


def ends_of(values: Floats, *, centred: bool, alike: bool) -> tuple[Floats, Floats]:
    """Return the middle and the step of each channel of inputs (n, ..., channels).

    `centred` lets the middle of what was seen be 0, which zeros around a picture forbid; `alike` gives all
    channels one step, where nothing can make up for different ones.
    """
    flat = values.reshape(-1, values.shape[-1])
    low, high = flat.min(axis=0), flat.max(axis=0)
    centre = (low + high) / 2 * float(centred)
    # Of what never moved, a change of a hundredth is told.
    still: Floats = np.maximum(np.abs(low) * MOST / 100, 1.0)
    reach: Floats = np.maximum(high - centre, centre - low)
    reach = np.asarray(np.where(reach > LEAST, MARGIN * reach, still), np.float64)
    greatest = np.full(len(reach), float(reach.max()))
    return centre, (greatest if alike else reach) / MOST


def rows_of(weights: Floats, bias: Floats) -> Rows:
    """Return weights (rows, ...) as i8, each row with a step of its own; biases count in the same steps."""
    flat = np.abs(weights.reshape(len(weights), -1)).max(axis=1)
    step = np.maximum(np.maximum(flat / MOST, np.abs(bias) / MOST_BIAS), LEAST)
    across = step.reshape(-1, *(1 for _ in weights.shape[1:]))
    return Rows(np.round(weights / across).astype(np.int64), np.round(bias / step).astype(np.int64), step)


def room_for(step: float, sums: Floats) -> float:
    """Return the step of results, raised where it would be finer than the sums (rows,) they come from."""
    return max(step, float(sums.max()) / FINEST)


def multipliers(factor: Floats) -> tuple[tuple[int, ...], int]:
    """Return whole numbers of 15 bits and a shift: factor (rows,), at most FINEST, ~ multiplier / 2**shift.

    The greatest has all its digits; one far below it moves no result by more than a hundredth of a step.
    """
    greatest = float(factor.max())
    fits = int(np.floor(np.log2(MOST_SCALE / greatest))) if greatest > 0 else LONGEST_SHIFT
    shift = max(LEAST_SHIFT, min(LONGEST_SHIFT, fits))
    scaled = np.minimum(np.round(factor * 2.0**shift), MOST_SCALE)
    return tuple(int(v) for v in scaled), shift
