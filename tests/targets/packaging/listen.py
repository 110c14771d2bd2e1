"""Listen: run what never ends by itself, a board or its emulator, until it has said something."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path


def heard(
    command: Sequence[str | Path],
    folder: Path,
    until: str,
    longest_s: float = 60,
    env: Mapping[str, str] | None = None,
) -> str:
    """Return what a command prints until that matches or the time is up; then end all that it began."""
    said, end = folder / "said", time.monotonic() + longest_s
    with said.open("wb") as out:
        board = subprocess.Popen(
            [str(c) for c in command], cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            start_new_session=True,
        )  # fmt: skip
        try:
            while time.monotonic() < end and board.poll() is None:
                time.sleep(0.1)
                if re.search(until, _text(said)):
                    break
        finally:
            if board.poll() is None:
                os.killpg(board.pid, signal.SIGKILL)
            board.wait()
    return _text(said)


def _text(said: Path) -> str:
    return said.read_bytes().decode(errors="replace").replace("\r", "")
