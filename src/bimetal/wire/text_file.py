"""Text file: a file that somebody wrote by hand to say how things are, read whole."""

from __future__ import annotations

from pathlib import Path

from bimetal.nouns.errors import BadInput, NotFound


def text_of(path: Path) -> str:
    """Return what a file in UTF-8 says; raises NotFound, or BadInput when it cannot be read."""
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise NotFound("there is no such file", where=str(path)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"it cannot be read: {error}", where=str(path)) from None
