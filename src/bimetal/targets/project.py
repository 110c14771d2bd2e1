"""Project: a folder of emitted files, written all or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping

from bimetal.nouns.errors import BadInput

Files = Mapping[str, bytes]


def write_folder(files: Files, directory: str) -> None:
    """Write files by their paths in a folder; folders are made where they are missing, other files stay.

    Everything is written under temporary names first, so that a fault leaves the old files alone.
    Raises BadInput when the folder cannot be written to.
    """
    waiting: dict[str, str] = {}
    try:
        os.makedirs(directory, exist_ok=True)
        for name, data in files.items():
            path = os.path.join(directory, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            waiting[f"{path}.new"] = path
            with open(f"{path}.new", "wb") as file:
                file.write(data)
        for new in list(waiting):
            os.replace(new, waiting[new])
            del waiting[new]
    except OSError as e:
        raise BadInput(f"the folder cannot be written ({e.strerror})", where=directory) from None
    finally:
        for new in waiting:
            with contextlib.suppress(OSError):
                os.remove(new)
