"""Purpose: why data may be kept, on what ground, how long."""

from __future__ import annotations

from dataclasses import dataclass

from bimetal.nouns.errors import BadInput


@dataclass(frozen=True, slots=True)
class Purpose:
    """Why a signal's readings are kept: a name, a legal ground, and for how many days.

    Raises BadInput unless the time is positive.
    """

    name: str
    ground: str
    keep_days: float

    def __post_init__(self) -> None:
        if not self.keep_days > 0:
            raise BadInput(f"data must be kept for more than {self.keep_days} days", where=self.name)
