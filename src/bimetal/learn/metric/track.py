"""Track: what was said of the rows of one device, in their order, beside what is known of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bimetal.learn.metric.blame import Blame
from bimetal.learn.metric.count import Labels
from bimetal.learn.metric.curve import Scores


@dataclass(frozen=True, slots=True)
class Track:
    """n rows of one device: labels (n,), scores (n,) and alarms (n,).

    `seconds` is the time they cover, `margin` the rows around an event that still count in VUS-PR;
    `share` (n, signals) is each signal's part of the score, `blames` what events were really due to.
    """

    device: str
    labels: Labels
    score: Scores
    alarm: NDArray[np.bool_]
    seconds: float
    margin: int
    share: NDArray[np.float32] | None = None
    blames: tuple[Blame, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def row_s(self) -> float:
        """The mean time from row to row, in seconds."""
        return self.seconds / max(len(self), 1)

    @property
    def healthy_days(self) -> float:
        """How long nothing was wrong."""
        return float((self.labels == 0).sum()) * self.row_s / 86_400

    def rows(self, at: NDArray[np.intp]) -> Track:
        """Return a track of some of the rows, without the shares."""
        return replace(
            self,
            labels=self.labels[at],
            score=self.score[at],
            alarm=self.alarm[at],
            seconds=self.row_s * len(at),
            share=None,
            blames=(),
        )
