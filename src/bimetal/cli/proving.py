"""Proving: the work of `bimetal verify`, imported when it is called."""

from __future__ import annotations

from pathlib import Path

from bimetal.cli.opening import open_model
from bimetal.cli.shelf import LocalShelf
from bimetal.cli.toolbox import LocalTools
from bimetal.nouns.device import FLEET
from bimetal.targets.agree import Agreement, agree
from bimetal.targets.present import every_target
from bimetal.targets.vectors import decode


def prove(model: Path) -> list[Agreement]:
    """Run a model's vectors on every target that runs here."""
    bundle = open_model(model).bundle
    vectors = decode(bundle.program, bundle.vectors)
    return agree(bundle.program, bundle.blocks[FLEET], vectors, every_target(LocalTools(), LocalShelf()))


def absent() -> list[tuple[str, str]]:
    """Return the targets that do not run here, and what would change that."""
    return [(t.name, t.present()) for t in every_target(LocalTools(), LocalShelf()) if t.present()]
