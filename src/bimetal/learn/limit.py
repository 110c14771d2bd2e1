"""Limit: what somebody's word on a notice about a sensor does: how far its signal may go before the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from bimetal.nouns.device import FLEET
from bimetal.nouns.event import Fault

LOWERS = ("sensor_low",)
"""Parameters that allow more the lower they are; all others do the higher they are."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A parameter of one signal, its place there, the value it is to have, and what it was on each device."""

    signal: str
    fault: Fault
    param: str
    place: int
    value: float
    was: dict[str, float]


class Limiting(Protocol):
    """A label, as far as it is about limits."""

    @property
    def limits(self) -> tuple[Limit, ...]:
        """What it sets."""
        ...

    @property
    def allows(self) -> bool:
        """Whether more is allowed from then on, or less."""
        ...

    @property
    def everywhere(self) -> bool:
        """Whether it goes for every device."""
        ...

    def holds_for(self, device: str) -> bool:
        """Say whether it acts on a device."""
        ...


def restored(
    values: Mapping[str, Mapping[str, Any]], labels: Sequence[Limiting]
) -> dict[str, dict[str, Any]]:
    """Return the parameters of every device as they were before any of the labels was given."""
    found = {device: dict(mine) for device, mine in values.items()}
    for limit in (limit for label in labels for limit in label.limits):
        for device, mine in found.items():
            was = limit.was.get(device, limit.was.get(FLEET))
            if was is not None:
                mine[limit.param] = _with(mine[limit.param], limit.place, was)
    return found


def limited(mine: Mapping[str, Any], device: str, labels: Sequence[Limiting]) -> dict[str, Any]:
    """Return a device's parameters, restored, with the limits of the labels that hold for it."""
    found = dict(mine)
    for label in (x for x in labels if x.holds_for(device)):
        for limit in label.limits:
            now = float(found[limit.param][limit.place])
            farther = max if label.allows != (limit.param in LOWERS) else min
            found[limit.param] = _with(found[limit.param], limit.place, farther(now, limit.value))
    return found


def _with(row: Any, place: int, value: float) -> Any:
    changed = np.array(row)
    changed[place] = value
    return changed
