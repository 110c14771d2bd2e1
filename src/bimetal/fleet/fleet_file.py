"""Fleet file: inventory and deployments as one JSON file, whole or refused."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from bimetal.fleet.deployment import Deployment, Observation, Stage
from bimetal.fleet.inventory import Inventory, Sighting
from bimetal.keep.disk import in_words, write_whole
from bimetal.nouns.errors import BadInput, Unsupported

VERSION = 1


@dataclass(frozen=True, slots=True)
class Fleet:
    """What is known of a fleet: who there is, and which bundles should run where."""

    inventory: Inventory = field(default_factory=Inventory)
    deployments: tuple[Deployment, ...] = ()

    def begin(self, deployment: Deployment) -> Fleet:
        """Return the fleet with one more deployment.

        Raises BadInput when a device of it is still in the middle of another.
        """
        for other in self.deployments:
            both = sorted(set(other.devices) & set(deployment.devices))
            if both and other.stage in (Stage.ROLLING, Stage.HALTED):
                raise BadInput(
                    f"{both[0]} is still in the middle of another deployment",
                    hint="Wait until that is done, or halt it",
                )
        return replace(self, deployments=(*self.deployments, deployment))

    def with_deployment(self, deployment: Deployment) -> Fleet:
        """Return the fleet with a deployment as it is now in place of what it was."""
        kept = tuple(deployment if _same(d, deployment) else d for d in self.deployments)
        return replace(self, deployments=kept)


class _Deployment(msgspec.Struct):
    bundle: str
    vectors: int
    waves: tuple[tuple[str, ...], ...]
    former: str
    soak_ns: int
    observed: dict[str, Observation]
    ordered: list[str]
    settled_ns: tuple[int, ...]
    halted: str


class _File(msgspec.Struct):
    bimetal_fleet: int
    known: list[str]
    patience_ns: int
    sightings: dict[str, Sighting]
    crowd: int
    deployments: list[_Deployment]


class _Head(msgspec.Struct):
    bimetal_fleet: int


def save_fleet(path: Path, fleet: Fleet) -> None:
    """Put the file in place, whole or not at all; raises as `write_whole` does."""
    inventory = fleet.inventory
    content = _File(
        VERSION,
        sorted(inventory.known),
        inventory.patience_ns,
        dict(inventory.sightings),
        inventory.crowd,
        [
            _Deployment(
                d.bundle,
                d.vectors,
                d.waves,
                d.former,
                d.soak_ns,
                dict(d.observed),
                sorted(d.ordered),
                d.settled_ns,
                d.halted,
            )
            for d in fleet.deployments
        ],
    )
    write_whole(path, msgspec.json.format(msgspec.json.encode(content), indent=1))


def load_fleet(path: Path) -> Fleet:
    """Read a fleet; raises NotFound, BadInput when the file is damaged, Unsupported when it is newer."""
    with in_words(path):
        content = path.read_bytes()
    try:
        version = msgspec.json.decode(content, type=_Head).bimetal_fleet
        if version > VERSION:
            raise Unsupported(
                f"this fleet has format {version}, and this bimetal reads up to {VERSION}",
                where=str(path),
                hint="Install the bimetal that wrote it, or a newer one",
            )
        read = msgspec.json.decode(content, type=_File)
        deployments = tuple(_deployment(d) for d in read.deployments)
    except (msgspec.MsgspecError, UnicodeDecodeError, BadInput) as error:
        raise BadInput(
            f"this is not the file of a fleet: {error}", where=str(path), hint="Put it back from a backup"
        ) from None
    inventory = Inventory(frozenset(read.known), read.patience_ns, read.sightings, read.crowd)
    return Fleet(inventory, deployments)


def _deployment(d: _Deployment) -> Deployment:
    return Deployment(
        d.bundle,
        d.vectors,
        d.waves,
        d.former,
        d.soak_ns,
        d.observed,
        frozenset(d.ordered),
        d.settled_ns,
        d.halted,
    )


def _same(a: Deployment, b: Deployment) -> bool:
    return (a.bundle, a.waves) == (b.bundle, b.waves)
