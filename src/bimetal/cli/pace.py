"""Pace: the target that the commands run programs on: the fastest one that the user allows."""

from __future__ import annotations

import os

from bimetal.cli.shelf import LocalShelf
from bimetal.cli.toolbox import LocalTools
from bimetal.targets.present import fastest
from bimetal.targets.target import Target

ALLOW = "BIMETAL_NATIVE"


def native_allowed() -> bool:
    """Say whether this user wants programs compiled: $BIMETAL_NATIVE is 1."""
    return os.environ.get(ALLOW) == "1"


def quickest() -> Target:
    """Return the fastest target here; a compiler is run only where the user allows it.

    Compiling takes seconds the first time a program is met, which pays for fleets, not for one file.
    """
    return fastest(LocalTools(), LocalShelf()) if native_allowed() else fastest()
