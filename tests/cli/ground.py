"""Ground: small tables, a command called and what it said, and how it must say no."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bimetal.cli import door

HEAD = "time,temperature (°C),flow"
COUNT = 600
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit code, and what it wrote on both streams."""

    code: int
    out: str
    err: str

    def sentence(self, code: int) -> str:
        """The one sentence with which it must have failed, notes left out."""
        assert self.code == code, self
        lines = [line for line in self.err.splitlines() if not line.startswith("Note: ")]
        assert len(lines) == 1, self.err
        assert lines[0].isprintable()
        assert lines[0][-1] in ".?"
        assert "Traceback" not in self.err
        assert "bimetal itself failed" not in self.err
        return lines[0]


def call(*words: object) -> Ended:
    """Call a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = door.run([str(word) for word in words])
    return Ended(code, out.getvalue(), err.getvalue())


def start(*words: object, **options: Any) -> subprocess.Popen[bytes]:
    """Start a command as a process of its own, with pipes."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    command = [sys.executable, "-m", "bimetal.cli", *map(str, words)]
    return subprocess.Popen(command, **(pipes | options))


def rows(count: int = COUNT, seed: int = 0) -> list[str]:
    """Rows of a quiet machine, a second apart: a slow swing and a little noise."""
    noise = np.random.default_rng(seed).normal(0, 1, (count, 2))
    swing = np.sin(np.arange(count) / 30)
    times = np.datetime64("2026-01-01T00:00:00") + np.arange(count).astype("timedelta64[s]")
    return [
        f"{time},{20 + s + 0.1 * a:.3f},{3 + 0.5 * s + 0.05 * b:.4f}"
        for time, s, (a, b) in zip(times, swing, noise, strict=True)
    ]


def table(lines: Sequence[str], head: str = HEAD) -> str:
    """A table as text."""
    return "\n".join([head, *lines]) + "\n"


def broken(lines: Sequence[str], since: int = 700) -> list[str]:
    """The rows with a flow that rises far beyond all that was seen, from a row on."""
    return [
        line if k < since else f"{line.rsplit(',', 1)[0]},{3 + (k - since) * 0.2:.3f}"
        for k, line in enumerate(lines)
    ]


def score_rows(path: Path) -> list[dict[str, str]]:
    """What `--scores` wrote."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def trained(folder: Path, name: str = "quiet") -> Path:
    """A model of the quiet machine, its table beside it."""
    (folder / f"{name}.csv").write_text(table(rows()), encoding="utf-8")
    ended = call("train", folder / f"{name}.csv", "-o", folder / f"{name}.bm")
    assert ended.code == 0, ended.err
    return folder / f"{name}.bm"


def unprivileged() -> contextlib.AbstractContextManager[None]:
    """Nobody's rights within the block, where this process has all of them."""
    return _nobody() if os.geteuid() == 0 else contextlib.nullcontext()


@contextlib.contextmanager
def _nobody() -> Any:
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@contextlib.contextmanager
def little_room(size: int) -> Any:
    """A disk on which no file can grow beyond this size, within the block."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
