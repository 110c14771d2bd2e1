"""Signal: one channel of a device."""

from __future__ import annotations

from dataclasses import dataclass

from bimetal.nouns.errors import BadInput


@dataclass(frozen=True, slots=True)
class Signal:
    """One channel of a device: what it measures, in which unit, how often.

    `unit` is a UCUM code (`Cel`, `bar`, `mm/s`) or empty when unknown; `period_s` is
    the time between samples in seconds, 0 when unknown; `low` and `high` bound what
    the sensor can say, in `unit`, and are infinite when unknown; `missing` is a number that
    its sender writes where there is no reading, such as -200, None when there is none.

    Raises BadInput for an empty name, a negative period or an empty range.
    """

    name: str
    unit: str = ""
    quantity: str = ""
    period_s: float = 0.0
    low: float = float("-inf")
    high: float = float("inf")
    missing: float | None = None

    def __post_init__(self) -> None:
        if not self.name:
            raise BadInput("a signal needs a name")
        if not self.period_s >= 0:
            raise BadInput(f"the period must be zero or more seconds, not {self.period_s}", where=self.name)
        if not self.low < self.high:
            raise BadInput(f"the range {self.low}..{self.high} is empty", where=self.name)

    @property
    def label(self) -> str:
        """The name with its unit, as people write it: `pressure [bar]`."""
        return f"{self.name} [{self.unit}]" if self.unit else self.name
