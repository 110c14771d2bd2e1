"""Rotating machines: pumps and motors, simulated with everything that goes wrong with them."""

from __future__ import annotations

from importlib.resources import files

from bimetal.nouns import Batch
from bimetal.packs.machine.simulator import simulate
from bimetal.packs.pack import Manifest, read_manifest
from bimetal.packs.truth import Truth

__all__ = ["MachinePack", "simulate"]


class MachinePack:
    """The pack for rotating machines."""

    def manifest(self) -> Manifest:
        """Return what this pack says of itself."""
        return read_manifest(files(__name__).joinpath("pack.toml").read_text("utf-8"), "machine/pack.toml")

    def simulate(
        self, scenario: str, machines: int, seconds: float, rate_hz: float, seed: int
    ) -> tuple[Batch, tuple[Truth, ...]]:
        """Return readings of a plant and the faults in them; see `simulator.simulate`."""
        return simulate(scenario, machines, seconds, rate_hz, seed)
