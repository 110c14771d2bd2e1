"""Inventory: which devices there are, learned from everything they say, known or not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np

from bimetal.nouns.batch import Batch

MOST_STRANGERS = 10_000


class Presence(StrEnum):
    """How a device stands: expected and heard, heard and not expected, or expected and not heard."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Sighting:
    """When a device was heard first and last, by the receiver's clock, and how many messages it sent."""

    first_ns: int
    last_ns: int
    messages: int = 1


@dataclass(frozen=True, slots=True)
class Inventory:
    """Devices that are expected (`known`), and everybody who was heard.

    A device is silent when nothing was heard of it for `patience_ns`. Of devices that nobody
    expects, the first MOST_STRANGERS are listed and the rest counted in `crowd`, so that made-up
    names cannot fill the memory.
    """

    known: frozenset[str] = frozenset()
    patience_ns: int = 300_000_000_000
    sightings: Mapping[str, Sighting] = field(default_factory=dict[str, Sighting])
    crowd: int = 0

    def heard(self, devices: Iterable[str], now_ns: int) -> Inventory:
        """Return the inventory after a message from each of these devices."""
        sightings = dict(self.sightings)
        strangers = sum(d not in self.known for d in sightings)
        crowd = self.crowd
        for device in devices:
            seen = sightings.get(device)
            if seen is not None:
                last = max(seen.last_ns, now_ns)
                sightings[device] = replace(seen, last_ns=last, messages=seen.messages + 1)
            elif device in self.known or strangers < MOST_STRANGERS:
                sightings[device] = Sighting(now_ns, now_ns)
                strangers += device not in self.known
            else:
                crowd += 1
        return replace(self, sightings=sightings, crowd=crowd)

    def heard_batch(self, batch: Batch, now_ns: int) -> Inventory:
        """Return the inventory after a batch: a message from every device with a row in it."""
        return self.heard([batch.devices[int(k)] for k in np.unique(batch.device)], now_ns)

    def expect(self, devices: Iterable[str]) -> Inventory:
        """Return the inventory with more devices expected."""
        return replace(self, known=self.known | frozenset(devices))

    def forget(self, device: str) -> Inventory:
        """Return the inventory without a device, expected or heard."""
        sightings = {d: s for d, s in self.sightings.items() if d != device}
        return replace(self, known=self.known - {device}, sightings=sightings)

    def presence(self, device: str, now_ns: int) -> Presence:
        """Say how a device stands at an instant."""
        if device not in self.known:
            return Presence.UNKNOWN
        seen = self.sightings.get(device)
        heard = seen is not None and now_ns - seen.last_ns <= self.patience_ns
        return Presence.KNOWN if heard else Presence.SILENT

    def everybody(self, now_ns: int) -> dict[str, Presence]:
        """Say how every device stands that is expected or was heard, by name."""
        return {d: self.presence(d, now_ns) for d in sorted(self.known | set(self.sightings))}
