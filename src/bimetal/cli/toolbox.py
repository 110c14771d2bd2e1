"""Toolbox: the compilers and other programs of this machine, for targets that need them."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bimetal.nouns.errors import Unsupported
from bimetal.targets.toolbox import Done, Folder

LONGEST_S = 120.0


class LocalTools:
    """Outside programs, run without a shell and not for longer than two minutes."""

    def find(self, name: str) -> str:
        """Return where a program is, "" where it is missing."""
        return shutil.which(name) or ""

    def run(self, command: Sequence[str], given: bytes, folder: str) -> Done:
        """Run a program in a folder; raises Unsupported when it does not start, or does not end."""
        try:
            done = subprocess.run(
                list(command), input=given, cwd=folder, capture_output=True, timeout=LONGEST_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise Unsupported(f"it did not end within {LONGEST_S:g} s", where=command[0]) from None
        except OSError as e:
            raise Unsupported(f"it cannot be started ({e.strerror})", where=command[0]) from None
        return Done(done.returncode, done.stdout, done.stderr.decode(errors="replace"))

    def folder(self) -> Folder:
        """Return a new empty folder, removed at the latest when Python ends."""
        return tempfile.TemporaryDirectory(prefix="bimetal-")

    def write(self, path: str, data: bytes) -> None:
        """Write a file."""
        Path(path).write_bytes(data)
