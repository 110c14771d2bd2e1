"""Power cuts: a process is killed, or meets a full disk, and every acknowledged batch is there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bimetal.keep.segment import Segments
from tests.keep import torture
from tests.keep.given import SECOND, START

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals and limits")
ROOT = Path(__file__).parents[2]

FILLS_THE_DISK = """
import resource, sys
from pathlib import Path
from bimetal.keep.segment import Segments
from bimetal.nouns.errors import Error
from tests.keep.given import batch

segments = Segments(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
for k in range(10_000):
    try:
        segments.append(batch(10, start=10 * k))
    except Error as error:
        print(type(error).__name__, flush=True)
        break
    print(k, flush=True)
"""
LIES = """
import sys
from pathlib import Path
from bimetal.keep.segment import Segments
from tests.keep import torture

def keeps_nothing(folder, seed, ledger, say):
    Segments(folder)
    say(("done", "open", "", 0))
    for number in range(60):
        say(("done", "keep", torture.name(0), number))

def erases_nothing(folder, seed, ledger, say):
    segments = Segments(folder)
    segments.append(torture.batch_of(torture.name(0), 0))
    say(("done", "open", "", 0))
    for _ in range(60):
        say(("done", "erase", torture.name(0), 0))

def keeps_what_nobody_sent(folder, seed, ledger, say):
    segments = Segments(folder)
    for number in range(60):
        segments.append(torture.batch_of(torture.name(0), number))
        say(("done", "open", "", 0))

torture.run(3, 1, Path(sys.argv[1]) / "kept", life=globals()[sys.argv[2]])
"""


def python(*words: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own: one that forks must not have threads."""
    return subprocess.run(
        [sys.executable, *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=120,
        check=False,
    )


def test_nothing_acknowledged_is_lost_to_kill_9() -> None:
    """The short form of `make torture`."""
    done = python("-m", "tests.keep.torture", "12")
    assert done.returncode == 0, done.stderr
    assert "12 processes killed" in done.stdout
    assert "0 lost" in done.stdout


@pytest.mark.parametrize(
    ("life", "said"),
    [
        ("keeps_nothing", "were acknowledged and are lost"),
        ("erases_nothing", "were never sent"),
        ("keeps_what_nobody_sent", "were never sent"),
    ],
)
def test_a_process_that_lies_is_found_out(tmp_path: Path, life: str, said: str) -> None:
    done = python("-c", LIES, str(tmp_path), life)
    assert done.returncode == 1
    assert said in done.stderr


def test_a_life_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    lives: list[list[object]] = []
    for k in range(2):
        said: list[object] = []

        def say(line: object, said: list[object] = said) -> None:
            said.append(line)
            if len(said) > 40:
                raise InterruptedError

        with pytest.raises(InterruptedError):
            torture.live(tmp_path / str(k), 5, torture.Ledger(), say)
        lives.append(said)
    assert lives[0] == lives[1]


def test_a_disk_that_fills_up_loses_nothing_acknowledged(tmp_path: Path) -> None:
    writer = python("-c", FILLS_THE_DISK, str(tmp_path))
    *numbers, said = writer.stdout.split()
    assert said == "Unsupported", writer.stderr
    segments = Segments(tmp_path)
    times = ((segments.batch().time_ns - START) // SECOND).tolist()
    segments.close()
    assert sorted(times) == list(range(10 * len(numbers)))
    assert len(numbers) > 10
