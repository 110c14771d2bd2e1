"""Whole: a text file that appears complete, or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from bimetal.nouns.errors import BadInput


@contextmanager
def whole_file(path: Path) -> Generator[TextIO]:
    """Yield a text file to write to; it takes its name when the block ends well, and is gone otherwise.

    Raises BadInput when the folder cannot be written to or the disk is full.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(handle, "w", newline="", encoding="utf-8") as file:
            yield file
        os.chmod(name, 0o644)
        os.replace(name, path)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise _unwritable(path, error) from None
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _unwritable(path: Path, error: OSError) -> BadInput:
    return BadInput(
        f"the file cannot be written: {error.strerror}", where=str(path), hint="Name another place with -o"
    )
