"""A small deployment and devices that follow orders, for the tests of this room."""

from __future__ import annotations

from dataclasses import dataclass, field

from bimetal.fleet.deployment import Act, Deployment, Observation, Order
from bimetal.fleet.rollout import Decision, decide

NEW, OLD = "ab" * 32, "cd" * 32
VECTORS = 64
WAVES = (("a",), ("b", "c"), ("d", "e", "f"))


def deployment(**changes: object) -> Deployment:
    """Three waves over six devices, from OLD to NEW."""
    return Deployment(**{"bundle": NEW, "vectors": VECTORS, "waves": WAVES, "former": OLD, **changes})  # type: ignore[arg-type]


def word(
    device: str,
    time_ns: int = 1,
    *,
    staged: str = NEW,
    equal: int = VECTORS,
    armed: str = OLD,
    vectors: int = VECTORS,
) -> Observation:
    """A device that passed its self-test and was not armed yet, unless said otherwise."""
    return Observation(device, time_ns, staged, vectors, equal, armed)


@dataclass
class Plant:
    """Devices that do what they are told; `broken` ones compute something else, `deaf` ones hear nothing."""

    broken: frozenset[str] = frozenset()
    deaf: frozenset[str] = frozenset()
    staged: dict[str, str] = field(default_factory=lambda: dict.fromkeys("abcdef", OLD))
    armed: dict[str, str] = field(default_factory=lambda: dict.fromkeys("abcdef", OLD))

    def follow(self, orders: tuple[Order, ...]) -> None:
        """Do what the orders say."""
        for order in orders:
            if order.device in self.deaf:
                continue
            if order.act is Act.ARM:
                assert self.equal(order.device) == VECTORS
                self.armed[order.device] = order.bundle
            elif order.act is Act.STAGE:
                self.staged[order.device] = order.bundle
            else:
                self.staged[order.device] = self.armed[order.device] = order.bundle

    def equal(self, device: str) -> int:
        """How many vectors come out equal on a device."""
        return VECTORS - (device in self.broken and self.staged[device] == NEW)

    def words(self, time_ns: int) -> list[Observation]:
        """What all but the deaf say."""
        return [
            Observation(d, time_ns, self.staged[d], VECTORS, self.equal(d), self.armed[d])
            for d in self.staged
            if d not in self.deaf
        ]


def run(plant: Plant, start: Deployment, turns: int = 20, turn_ns: int = 10) -> list[Decision]:
    """Let orders and words go round so many times."""
    decisions: list[Decision] = []
    now = start
    first = max((word.time_ns for word in start.observed.values()), default=0)
    for time_ns in range(first, first + turns * turn_ns, turn_ns):
        decisions.append(decide(now, plant.words(time_ns), time_ns))
        now = decisions[-1].deployment
        plant.follow(decisions[-1].orders)
    return decisions
