"""Toolbox: how a target that needs outside programs gets at them; a door hands one in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Done:
    """What came of running a program: its exit status, what it put out, and what it said."""

    status: int
    output: bytes
    words: str


class Folder(Protocol):
    """A folder that is there until it is let go of."""

    @property
    def name(self) -> str:
        """Its path."""
        ...

    def cleanup(self) -> None:
        """Remove it with all that is in it."""
        ...


class Toolbox(Protocol):
    """Programs and folders of this machine."""

    def find(self, name: str) -> str:
        """Return where a program is, "" where it is missing."""
        ...

    def run(self, command: Sequence[str], given: bytes, folder: str) -> Done:
        """Run a program in a folder with bytes on its standard input.

        Raises Unsupported when it cannot be started or does not end in good time.
        """
        ...

    def folder(self) -> Folder:
        """Return a new empty folder."""
        ...

    def write(self, path: str, data: bytes) -> None:
        """Write a file."""
        ...
