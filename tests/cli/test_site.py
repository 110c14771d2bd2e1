"""`bimetal train --each`: the models that `bimetal train` makes of each, byte for byte, here and on Ray."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from bimetal.bundle.seal import read, seal
from bimetal.cli import site as module
from bimetal.cli.home import keys
from bimetal.nouns.errors import BadInput
from tests.cli.ground import call, rows, table
from tests.cluster.engine import environment, python_of

T = TypeVar("T")
R = TypeVar("R")


class Posted:
    """A pool like any cluster: what goes there and back is bytes, all is done twice, the last first."""

    def each(self, work: Callable[[T], R], given: Sequence[T]) -> Iterator[tuple[int, R]]:
        """See Pool."""
        for k in reversed(range(len(given))):
            there = pickle.dumps((work, given[k]))
            done = [pickle.dumps(act(one)) for act, one in (pickle.loads(there), pickle.loads(there))]
            assert done[0] == done[1]
            yield k, pickle.loads(done[0])


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A file, a folder of two files, and a file with too little in it."""
    folder = tmp_path_factory.mktemp("sites")
    (folder / "north").mkdir()
    places = ["south.csv", "north/a.csv", "north/b.csv", "poor.csv"]
    for seed, name in enumerate(places):
        (folder / name).write_text(table(rows(600 if name != "poor.csv" else 1, seed)), "utf-8")
    return [folder / "south.csv", folder / "north", folder / "poor.csv"]


def undated(model: Path) -> bytes:
    """A model's bytes as if it had been made in 1970; signatures of equal bytes are equal."""
    return seal(replace(read(model).bundle, made_ns=0), keys().signing_key())


def test_models_are_those_of_train_whoever_works(
    sites: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "Here", Posted)
    out = tmp_path / "models"
    ended = call("train", *sites, "-o", out, "--each", "--json")
    assert (ended.code, sorted(p.name for p in out.iterdir())) == (1, ["north.bm", "south.bm"])
    assert "1 of 3 models could not be learned" in ended.err
    told = json.loads(ended.out)["models"]
    assert [Path(one["model"]).name for one in told] == ["south.bm", "north.bm", "poor.bm"]
    assert [one.get("devices") for one in told] == [1, 2, None]
    assert "error" in told[2]
    for name, data in {"south": [sites[0]], "north": sorted(sites[1].iterdir())}.items():
        assert call("train", *data, "-o", tmp_path / "one.bm").code == 0
        assert undated(out / f"{name}.bm") == undated(tmp_path / "one.bm")


def test_what_is_there_is_left_alone(quiet: Path, tmp_path: Path) -> None:
    (tmp_path / "quiet.bm").write_bytes((quiet / "quiet.bm").read_bytes())
    ended = call("train", quiet / "quiet.csv", "-o", tmp_path, "--each")
    assert (ended.code, ended.out) == (0, "1 model already there, left alone\n")
    assert (tmp_path / "quiet.bm").read_bytes() == (quiet / "quiet.bm").read_bytes()


def test_what_cannot_be_is_refused_before_anything_is_learned(sites: list[Path], tmp_path: Path) -> None:
    assert "with --each" in call("train", sites[0], "-o", tmp_path / "m", "--ray", "local").err
    twice = call("train", sites[0], sites[0], "-o", tmp_path / "m", "--each")
    assert "Rename one" in twice.sentence(1)
    (tmp_path / "empty").mkdir()
    assert "no table" in call("train", tmp_path / "empty", "-o", tmp_path / "m", "--each").sentence(4)
    assert not (tmp_path / "m").exists()
    (tmp_path / "south.bm").write_text("mine")
    assert "left as it is" in call("train", sites[0], "-o", tmp_path, "--each").sentence(1)


def test_an_error_comes_back_whole_from_another_process() -> None:
    there = pickle.loads(pickle.dumps(BadInput("it is empty", where="a.csv", hint="Fill it")))
    assert there.sentence() == "a.csv: it is empty. Fill it."


@pytest.mark.slow
def test_a_ray_worker_is_killed_in_mid_run_and_every_model_is_the_same(tmp_path: Path) -> None:
    python = python_of("ray")
    data = [tmp_path / f"site-{seed}.csv" for seed in range(4)]
    for seed, one in enumerate(data):
        one.write_text(table(rows(1500, seed)), "utf-8")
    command = [python, "-m", "bimetal.cli", "train", *map(str, data), "--each", "-o"]
    place = Path(module.__file__).parents[2]
    paths = os.pathsep.join([str(place), environment()["PYTHONPATH"]])
    setting = {**environment(), "PYTHONPATH": paths, "RAY_USAGE_STATS_ENABLED": "0"}
    subprocess.run([*command, str(tmp_path / "here")], env=setting, check=True, timeout=300)
    with subprocess.Popen(
        [*command, str(tmp_path / "ray"), "--ray", "local"],
        env=setting,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as driver:
        killed = kill_one(driver)
        said, _ = driver.communicate(timeout=300)
    assert driver.returncode == 0, said[-3000:]
    assert killed, "nothing was killed"
    for one in data:
        name = f"{one.stem}.bm"
        assert undated(tmp_path / "ray" / name) == undated(tmp_path / "here" / name)


def kill_one(driver: subprocess.Popen[str]) -> int:
    """Kill -9 a process of this Ray that is at work on a site; returns its number, 0 when none was met."""
    until = time.monotonic() + 120
    while time.monotonic() < until and driver.poll() is None:
        for status in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                at_work = b"ray::learn_site" in status.read_bytes()
                if at_work and driver.pid in ancestors(int(status.parent.name)):
                    os.kill(int(status.parent.name), signal.SIGKILL)
                    return int(status.parent.name)
            except OSError:  # it ended meanwhile
                continue
        time.sleep(0.02)
    return 0


def ancestors(process: int) -> Iterator[int]:
    """The processes that a process descends from."""
    while process > 1:
        words = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
        process = int(words[1])
        yield process
