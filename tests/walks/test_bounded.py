"""Bounded: memory does not grow with the file, for training as for running."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.ground import HEAD, rows

FEW, MANY = 90_000, 900_000
PEAK = """
import pathlib, re, sys
from bimetal.cli import door
from bimetal.learn import dataset
dataset.MOST_VALUES = 20_000  # what is held of a history is bounded anyway: here, so that few rows fill it
code = door.run(sys.argv[1:])
# Not getrusage: on Linux its figure is at least that of the process this one was started from.
print(re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())[1], file=sys.stderr)
sys.exit(code)
"""


def long_table(path: Path, count: int) -> Path:
    """A table of so many rows of about 100 bytes, a second apart."""
    tails = [f"{row.split(',', 1)[1]},{'as yesterday ' * 6}" for row in rows(500)]
    with path.open("w", encoding="utf-8") as file:
        file.write(f"{HEAD},remark\n")
        file.writelines(f"{1_700_000_000 + k},{tails[k % 500]}\n" for k in range(count))
    return path


def peak_kib(*words: object) -> int:
    """The most memory that a command held."""
    command = [sys.executable, "-c", PEAK, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return int(done.stderr.splitlines()[-1])


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc, as Linux has it")
@pytest.mark.parametrize("command", ["train", "run"])
def test_ten_times_the_rows_take_no_more_memory(command: str, quiet: Path, tmp_path: Path) -> None:
    """What more is taken is a fraction of what the file is larger."""
    model = quiet / "quiet.bm"
    files = [long_table(tmp_path / f"{count}.csv", count) for count in (FEW, MANY)]
    growth_kib = (files[1].stat().st_size - files[0].stat().st_size) >> 10
    peaks = [
        peak_kib("train", f, "-o", tmp_path / "m.bm") if command == "train" else peak_kib("run", model, f)
        for f in files
    ]
    assert peaks[1] - peaks[0] < growth_kib / 2, peaks
    assert peaks[1] < 600 << 10
