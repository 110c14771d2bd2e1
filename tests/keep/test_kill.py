"""Power cuts: a writer is killed, or meets a full disk, and every acknowledged batch is there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bimetal.keep.segment import Segments
from tests.keep.given import SECOND, START

WRITER = """
import sys
from pathlib import Path
from bimetal.keep.segment import Segments
from bimetal.nouns.errors import Error
from tests.keep.given import batch

segments = Segments(Path(sys.argv[1]), seal_readings=int(sys.argv[3]))
k = int(sys.argv[2])
while True:
    try:
        segments.append(batch(10, start=10 * k))
    except Error as error:
        print(type(error).__name__, flush=True)
        break
    print(k, flush=True)
    k += 1
"""


def writer(folder: Path, first: int, seal_readings: int = 400, before: str = "") -> subprocess.Popen[str]:
    root = Path(__file__).parents[2]
    return subprocess.Popen(
        [sys.executable, "-c", before + WRITER, str(folder), str(first), str(seal_readings)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )


def kept(folder: Path) -> list[int]:
    """Which batches are there; each of them must be whole."""
    segments = Segments(folder)
    times = sorted(((segments.batch().time_ns - START) // SECOND).tolist())
    segments.close()
    assert len(times) % 10 == 0
    assert len(times) == len(set(times))
    return times[::10]


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_every_acknowledged_batch_survives_kill_9(tmp_path: Path) -> None:
    acknowledged = -1
    for round_, wait_s in enumerate((0.02, 0.11, 0.05)):
        process = writer(tmp_path, acknowledged + 1)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(wait_s)
        process.send_signal(signal.SIGKILL)
        lines = process.communicate()[0].split()
        acknowledged = int(lines[-1]) if lines else acknowledged + 1
        there = kept(tmp_path)
        assert there == [10 * k for k in range(len(there))], round_
        assert len(there) in (acknowledged + 1, acknowledged + 2)
        acknowledged = len(there) - 1
    assert acknowledged > 30


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX limits")
def test_a_disk_that_fills_up_loses_nothing_acknowledged(tmp_path: Path) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))\n"
    out, errors = writer(tmp_path, 0, 1_000_000, limit).communicate(timeout=60)
    *numbers, said = out.split()
    assert said == "Unsupported", errors
    assert kept(tmp_path) == [10 * int(k) for k in numbers]
    assert len(numbers) > 10
