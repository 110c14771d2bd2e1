"""Codec: the socket for message formats: payloads in, columns out, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bimetal.nouns.batch import Batch

MOST_SIGNALS = 512
LONGEST_NAME = 128
LARGEST_PAYLOAD = 4 << 20
MOST_ROWS = 100_000
"""Limits of one payload; what exceeds them is quarantined."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A payload that could not be used, by its place among those given, and why, in words."""

    index: int
    reason: str


@dataclass(frozen=True, slots=True)
class Decoded:
    """Readings of one device as columns, in the order they arrived; times need not be in order.

    For n rows and s signals: `time_ns` (n,) since 1970 UTC; `values` (n, s), NaN where nothing
    was said; `message` (n,), the payload each row came from. `left_out` names fields that are
    no numbers, with the reason; the rest of their message is there.
    """

    device: str
    signals: tuple[str, ...]
    time_ns: NDArray[np.int64]
    values: NDArray[np.float64]
    message: NDArray[np.int32]
    quarantined: tuple[Quarantined, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()


class Codec(Protocol):
    """A message format. Neither method looks at a clock or a connection."""

    name: str
    """What users call it: `json`."""

    def decode(self, device: str, payloads: Sequence[bytes], received_ns: Sequence[int]) -> Decoded:
        """Return the readings in payloads of a device; a payload without a time has when it was received.

        Never raises for what a payload holds: one that cannot be used is quarantined, and
        does not touch its neighbours.
        """
        ...

    def encode(self, batch: Batch) -> list[bytes]:
        """Return payloads that say what the batch does, its device apart; missing values are left out."""
        ...
