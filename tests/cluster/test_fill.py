"""What was kept is scored again, by one process or by many, killed or not: the same rows, bit for bit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from bimetal.cluster import fill as module
from bimetal.cluster.fill import Fill, alone, devices_by_shard, fill_shard, read_filled
from bimetal.keep.segment import Segments
from bimetal.nouns import Batch
from bimetal.nouns.errors import BadInput, NotFound
from bimetal.stream.parcel import Outcome, outcome_bytes
from bimetal.stream.shard import shard_of
from bimetal.stream.stream import Stream
from tests.cluster.engine import environment, python_of
from tests.stream.given import SECOND, SIGNALS, START
from tests.stream.shard_case import RUN

SHARDS = 8
ROWS = 400


def fleet(seed: int = 1) -> Batch:
    """Twenty devices, a row a second each but for gaps, with steps that are alarms."""
    random = np.random.default_rng(seed)
    device = np.tile(np.arange(20, dtype=np.int32), ROWS)
    second = np.repeat(np.arange(ROWS), 20)
    values = random.normal(0, 0.5, (len(device), 2)) + (random.random((len(device), 1)) < 0.01) * 30.0
    stay = random.random(len(device)) < 0.97
    names = tuple(f"pump-{k}" for k in range(20))
    times = (START + second * SECOND).astype(np.int64)
    return Batch(names, SIGNALS, times[stay], device[stay], values[stay])


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with sealed segments, and the last part still in the journal."""
    folder, whole = tmp_path_factory.mktemp("kept"), fleet()
    segments = Segments(folder)
    for first in range(0, len(whole), 1500):
        rows = slice(first, first + 1500)
        segments.append(
            Batch(whole.devices, SIGNALS, whole.time_ns[rows], whole.device[rows], whole.values[rows])
        )
        if first < 4500:
            segments.seal()
    segments.close()
    return folder


def asked(kept: Path, output: Path, **other: int) -> Fill:
    return Fill(kept, output, START, START + ROWS * SECOND, SHARDS, other.get("stretch_ns", 37 * SECOND))


def filled(given: Fill) -> list[tuple[int, bytes]]:
    return [(shard, outcome_bytes([one])) for shard, one in read_filled(given.output)]


def whole(given: Fill) -> list[tuple[int, bytes]]:
    """What one process makes of it that is never killed."""
    parts = devices_by_shard(given)
    alone(lambda shard, devices: fill_shard(RUN, given, shard, devices), parts)
    return filled(given)


def rows(outcomes: list[Outcome]) -> list[tuple[str, int, bytes]]:
    return sorted(
        (one.devices[d], t, np.float64(s).tobytes())
        for one in outcomes
        for d, t, s in zip(one.device.tolist(), one.time_ns.tolist(), one.score, strict=True)
    )


def test_every_kept_row_is_scored_as_a_stream_scores_it(kept: Path, tmp_path: Path) -> None:
    given = asked(kept, tmp_path / "out")
    whole(given)
    found = [one for _, one in read_filled(given.output)]
    stream, batch = Stream("small", RUN.reorder, RUN.scorer), fleet()
    wanted = stream.push(batch, START + ROWS * SECOND)
    last = stream.settle()
    score = [
        (one.ready.devices[d], t, np.float64(s).tobytes())
        for one in (wanted, last)
        for d, t, s in zip(
            one.ready.device.tolist(), one.ready.time_ns.tolist(), one.scored.score, strict=True
        )
    ]
    assert rows(found) == sorted(score)
    assert len(score) == len(batch)
    assert sum(len(one.events) for one in found) > 10


def test_devices_are_where_their_shard_is(kept: Path, tmp_path: Path) -> None:
    parts = devices_by_shard(asked(kept, tmp_path))
    assert sorted(d for its in parts.values() for d in its) == sorted(fleet().devices)
    assert all(shard_of(d, SHARDS) == shard for shard, its in parts.items() for d in its)


@pytest.mark.parametrize("deaths", [3, 12])
def test_what_dies_anywhere_goes_on_and_writes_the_same(
    kept: Path, tmp_path: Path, deaths: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = whole(asked(kept, tmp_path / "whole"))
    given = asked(kept, tmp_path / "out")
    parts = devices_by_shard(given)
    writes = 0
    real = module.write_whole

    def dying(path: Path, content: bytes) -> None:
        nonlocal writes
        writes += 1
        if writes % deaths == 0:
            raise KeyboardInterrupt
        real(path, content)

    for shard, devices in parts.items():
        for patience in range(60):
            monkeypatch.setattr(module, "write_whole", dying if patience < 50 else real)
            try:
                fill_shard(RUN, given, shard, devices)
                break
            except KeyboardInterrupt:
                continue
    assert filled(given) == wanted


def test_what_is_finished_is_not_done_again(kept: Path, tmp_path: Path) -> None:
    given = asked(kept, tmp_path / "out")
    parts = devices_by_shard(given)
    first = alone(lambda shard, devices: fill_shard(RUN, given, shard, devices), parts)
    assert first == len(fleet())
    assert alone(lambda shard, devices: fill_shard(RUN, given, shard, devices), parts) == 0


def test_an_unfinished_shard_is_not_read(kept: Path, tmp_path: Path) -> None:
    given = asked(kept, tmp_path / "out")
    (given.output / "3").mkdir(parents=True)
    with pytest.raises(NotFound, match="not finished"):
        list(read_filled(given.output))


@pytest.mark.parametrize(("since", "until", "stretch"), [(5, 5, 1), (6, 5, 1), (5, 6, 0)])
def test_times_that_cannot_be_are_refused(tmp_path: Path, since: int, until: int, stretch: int) -> None:
    with pytest.raises(BadInput):
        Fill(tmp_path, tmp_path, since, until, 4, stretch)


def test_a_state_of_another_model_is_refused(kept: Path, tmp_path: Path) -> None:
    given = asked(kept, tmp_path / "out")
    shard, devices = next(iter(devices_by_shard(given).items()))
    fill_shard(RUN, given, shard, devices)
    (given.output / f"{shard}" / "done").unlink()
    other = type(RUN)("small", RUN.reorder, RUN.scorer, b"another")
    with pytest.raises(BadInput, match="another model"):
        fill_shard(other, given, shard, devices)


@pytest.mark.slow
def test_a_ray_worker_is_killed_in_mid_run_and_every_row_is_the_same(kept: Path, tmp_path: Path) -> None:
    wanted = whole(asked(kept, tmp_path / "whole", stretch_ns=SECOND * 5))
    given = asked(kept, tmp_path / "out", stretch_ns=SECOND * 5)
    arguments = json.dumps([str(kept), str(given.output), given.since_ns, given.until_ns, SHARDS, SECOND * 5])
    with subprocess.Popen(
        [python_of("ray"), "-m", "tests.cluster.ray_fill", arguments],
        env=ray_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as driver:
        killed = kill_one(given.output, driver)
        said, _ = driver.communicate(timeout=150)
    assert driver.returncode == 0, said[-3000:]
    assert killed, "nothing was killed"
    assert filled(given) == wanted


def ray_environment() -> dict[str, str]:
    """What Ray's processes find this checkout with; no telemetry goes out."""
    source = os.pathsep.join([str(Path(module.__file__).parents[2]), environment()["PYTHONPATH"]])
    return {**environment(), "PYTHONPATH": source, "RAY_USAGE_STATS_ENABLED": "0"}


def kill_one(output: Path, driver: subprocess.Popen[str]) -> int:
    """Kill -9 a process that is at work on a shard, as it noted there; returns its number."""
    until = time.monotonic() + 90
    while time.monotonic() < until and driver.poll() is None:
        for note in output.glob("*/pid"):
            folder = note.parent
            if len(list(folder.glob("*.said"))) > 5 and not (folder / "done").exists():
                number = int(note.read_text())
                os.kill(number, signal.SIGKILL)
                return number
        time.sleep(0.02)
    return 0
