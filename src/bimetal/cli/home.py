"""Home: where this installation keeps its own key."""

from __future__ import annotations

import os
from pathlib import Path

from bimetal.trust.key import KeyFolder


def keys() -> KeyFolder:
    """The key folder: $BIMETAL_HOME, or bimetal in the user's configuration folder."""
    named = os.environ.get("BIMETAL_HOME")
    if named:
        return KeyFolder(Path(named))
    config = os.environ.get("XDG_CONFIG_HOME")
    return KeyFolder((Path(config) if config else Path.home() / ".config") / "bimetal")
