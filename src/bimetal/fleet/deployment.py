"""Deployment: the wish that a bundle run on a group of devices, and what is observed of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b

from bimetal.nouns.device import check_device_id
from bimetal.nouns.errors import BadInput

_DIGEST = re.compile(r"[0-9a-f]{32,128}")


class Act(StrEnum):
    """What a device is told to do with a bundle; an empty one means to run none."""

    STAGE = "stage"
    ARM = "arm"
    RETURN = "return"


class Stage(StrEnum):
    """How far a deployment is."""

    ROLLING = "rolling"
    DONE = "done"
    HALTED = "halted"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Observation:
    """What a device said of itself at an instant of its own.

    `staged` is the bundle whose self-test ran last, `equal` of `vectors` golden vectors came out
    the same bit for bit; `armed` is the bundle that runs. Bundles by digest, empty for none.
    """

    device: str
    time_ns: int
    staged: str
    vectors: int
    equal: int
    armed: str


@dataclass(frozen=True, slots=True)
class Order:
    """What one device should do next; giving it twice does no harm."""

    device: str
    act: Act
    bundle: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """A bundle (hexadecimal digest, number of golden vectors) for waves of devices, one after the other.

    `former` is the bundle to go back to, empty for none. `observed` is the latest word of each
    device, `ordered` who was ever told to stage it, `settled_ns` when, by the receiver's clock, each
    wave was first found armed, `halted` why it stopped (empty: it did not).
    Raises BadInput for digests, waves or devices that cannot be.
    """

    bundle: str
    vectors: int
    waves: tuple[tuple[str, ...], ...]
    former: str = ""
    soak_ns: int = 0
    observed: Mapping[str, Observation] = field(default_factory=dict[str, Observation])
    ordered: frozenset[str] = frozenset()
    settled_ns: tuple[int, ...] = ()
    halted: str = ""

    def __post_init__(self) -> None:
        for digest in (self.bundle, *([self.former] if self.former else [])):
            if not _DIGEST.fullmatch(digest):
                raise BadInput(f"{digest[:80]!a} is not the digest of a bundle")
        if self.bundle == self.former:
            raise BadInput("a bundle cannot take the place of itself")
        if self.vectors < 1:
            raise BadInput("a bundle without golden vectors cannot be tested on a device")
        if not self.waves or not all(self.waves):
            raise BadInput("a deployment needs at least one wave, and a device in every wave")
        if len(set(self.devices)) != len(self.devices):
            raise BadInput("a device is in a deployment twice")
        for device in self.devices:
            check_device_id(device)

    @property
    def devices(self) -> tuple[str, ...]:
        """Every device, wave by wave."""
        return tuple(device for wave in self.waves for device in wave)

    @property
    def stage(self) -> Stage:
        """How far it is, from what was observed."""
        if self.halted:
            return Stage.RETURNED if all(map(self.has_returned, self.ordered)) else Stage.HALTED
        return Stage.DONE if all(map(self.is_armed, self.devices)) else Stage.ROLLING

    def is_armed(self, device: str) -> bool:
        """Whether the device said that it runs this bundle."""
        seen = self.observed.get(device)
        return seen is not None and seen.armed == self.bundle

    def has_passed(self, device: str) -> bool:
        """Whether the device said that every golden vector of this bundle came out equal."""
        seen = self.observed.get(device)
        return seen is not None and seen.staged == self.bundle and seen.equal == seen.vectors == self.vectors

    def has_failed(self, device: str) -> bool:
        """Whether the device tested this bundle and not every vector came out equal."""
        seen = self.observed.get(device)
        return seen is not None and seen.staged == self.bundle and not self.has_passed(device)

    def has_returned(self, device: str) -> bool:
        """Whether the device said that it runs the former bundle again, and holds no more of this one."""
        seen = self.observed.get(device)
        return seen is not None and seen.armed == self.former and seen.staged != self.bundle


def waves_of(
    bundle: str, devices: Sequence[str], shares: Sequence[float] = (0.01, 0.1, 1.0)
) -> tuple[tuple[str, ...], ...]:
    """Split devices into waves: up to these shares of them, at least one in the first.

    Who goes first is drawn by BLAKE2b of bundle and device, so it is other devices each time and
    the same ones on every machine. Raises BadInput unless the shares rise to 1.
    """
    if not shares or list(shares) != sorted(shares) or shares[-1] != 1.0 or shares[0] <= 0:
        raise BadInput(f"waves need shares that rise to 1, not {list(shares)}")
    drawn = sorted(set(devices), key=lambda d: blake2b(f"{bundle}/{d}".encode()).digest())
    waves: list[tuple[str, ...]] = []
    taken = 0
    for share in shares:
        end = max(round(share * len(drawn)), taken if waves else 1)
        if end > taken:
            waves.append(tuple(drawn[taken:end]))
        taken = max(end, taken)
    return tuple(wave for wave in waves if wave)
