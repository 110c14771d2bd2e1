"""A Flink cluster runs the shards; a task manager is killed in mid-run, and every row is the same."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bimetal.cluster import flink as module
from bimetal.cluster.flink import advanced, shards_of
from bimetal.nouns.errors import Unsupported
from bimetal.stream.parcel import Parcel, parcel_bytes
from bimetal.stream.shard import by_shard
from bimetal.stream.shard_run import run_all
from tests.cluster.engine import ROOT, free_port, python_of
from tests.stream.shard_case import RUN, parcels

SHARDS = 8
PARCELS = parcels(40, 40, 6)


def records() -> list[tuple[int, int, bytes]]:
    """What every shard is sent, in the order of the fleet's log."""
    return [
        (shard, sequence, parcel_bytes(Parcel(one.now_ns, batch)))
        for sequence, one in enumerate(PARCELS, 1)
        for shard, batch in sorted(by_shard(one.batch, SHARDS).items())
    ]


def test_a_record_that_comes_twice_changes_nothing() -> None:
    state, said = b"", []
    for record in records()[:40]:
        if record[0] == records()[0][0]:
            for _ in range(2):
                state, content = advanced(RUN, state, record)
                said.append(content)
    assert all(said[::2])
    assert not any(said[1::2])


def test_the_records_of_all_shards_say_what_one_machine_says() -> None:
    states: dict[int, bytes] = {}
    said: list[bytes] = []
    for record in records():
        states[record[0]], content = advanced(RUN, states.get(record[0], b""), record)
        said.append(content)
    assert (states, said) == run_all(RUN, SHARDS, PARCELS)


def test_without_pyflink_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr(module, "import_module", absent)
    with pytest.raises(Unsupported, match="pip install apache-flink"):
        shards_of(None, lambda: RUN)


@dataclass
class Flink:
    """A job manager and its task managers, each a process of its own."""

    home: Path
    folder: Path
    python: str
    rest: int
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, what: str) -> subprocess.Popen[bytes]:
        """Start one of them, in a session of its own, so that its Python workers can be ended with it."""
        with (self.folder / f"{what}-{len(self.running)}.log").open("wb") as log:
            one = subprocess.Popen(
                ["bash", str(self.home / "bin" / f"{what}.sh"), "start-foreground"],
                env=self.environment(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.running.append(one)
        return one

    def environment(self) -> dict[str, str]:
        """What its scripts and its Python workers are given."""
        source = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
        path = os.pathsep.join([str(Path(self.python).parent), os.environ["PATH"]])
        own = {
            "FLINK_HOME": str(self.home),
            "FLINK_CONF_DIR": str(self.folder / "conf"),
            "PYTHONPATH": source,
        }
        return {**os.environ, **own, "PATH": path, "FLINK_LOG_DIR": str(self.folder)}

    def ask(self, path: str) -> dict[str, object]:
        """Ask the job manager's REST interface."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.rest}{path}", timeout=5) as answer:
            return json.load(answer)

    def wait(self, path: str, good: object, patience_s: float) -> dict[str, object]:
        """Ask until an answer is good."""
        until, said = time.monotonic() + patience_s, {}
        while time.monotonic() < until:
            with contextlib.suppress(OSError):
                said = self.ask(path)
                if good(said):  # type: ignore[operator]
                    return said
            time.sleep(0.3)
        raise AssertionError(f"{path}: {said}")

    def stop(self) -> None:
        """End all of them, with whatever they started."""
        for one in self.running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(one.pid, signal.SIGKILL)
            one.wait(10)


@pytest.fixture
def flink(tmp_path: Path) -> Iterator[Flink]:
    """A cluster of one job manager and two task managers with a slot each."""
    if shutil.which("java") is None:
        pytest.skip("needs java 17, which is not installed here")
    python = python_of("flink")
    home = next(Path(python).parents[1].glob("lib/python3*/site-packages/pyflink"))
    found = Flink(home, tmp_path, python, free_port())
    shutil.copytree(home / "conf", tmp_path / "conf")
    with (tmp_path / "conf" / "config.yaml").open("a") as config:
        config.write(settings(found))
    try:
        found.start("jobmanager")
        for _ in range(2):
            found.start("taskmanager")
        found.wait("/overview", lambda said: said.get("slots-available", 0) >= 2, 60)
        yield found
    finally:
        found.stop()


def settings(flink: Flink) -> str:
    """What this test's cluster needs beyond the defaults; the last of two keys counts."""
    own = {
        "jobmanager.rpc.port": free_port(),
        "rest.port": flink.rest,
        "rest.bind-port": flink.rest,
        "taskmanager.numberOfTaskSlots": 1,
        "taskmanager.memory.process.size": "1200m",
        "jobmanager.memory.process.size": "1000m",
        "execution.checkpointing.dir": (flink.folder / "checkpoints").as_uri(),
        "state.backend.type": "hashmap",
        "restart-strategy.type": "fixed-delay",
        "restart-strategy.fixed-delay.attempts": 20,
        "restart-strategy.fixed-delay.delay": "1 s",
        "python.fn-execution.bundle.size": 10,
        "python.fn-execution.bundle.time": 200,
        "heartbeat.interval": 1000,
        "heartbeat.timeout": 5000,
        "python.executable": flink.python,
        "python.client.executable": flink.python,
        "io.tmp.dirs": str(flink.folder),
    }
    return "\n" + "\n".join(f"{key}: {value}" for key, value in own.items()) + "\n"


@pytest.mark.slow
def test_a_task_manager_is_killed_and_every_row_is_the_same(flink: Flink, tmp_path: Path) -> None:
    source, output = tmp_path / "parcels.txt", tmp_path / "said"
    lines = [
        f"{shard} {sequence} {base64.b64encode(content).decode()}" for shard, sequence, content in records()
    ]
    source.write_text("\n".join(lines) + "\n", "utf-8")
    job = ["-py", str(ROOT / "tests" / "cluster" / "flink_job.py"), str(source), str(output), "120"]
    submitted = subprocess.run(
        ["bash", str(flink.home / "bin" / "flink"), "run", "-d", "-m", f"127.0.0.1:{flink.rest}", *job],
        env=flink.environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert submitted.returncode == 0, submitted.stdout + submitted.stderr
    number = submitted.stdout.split("JobID ")[1].split()[0]
    flink.wait(f"/jobs/{number}/checkpoints", lambda said: said["counts"]["completed"] >= 2, 90)  # type: ignore[index]
    os.killpg(flink.running[2].pid, signal.SIGKILL)
    flink.start("taskmanager")
    ended = flink.wait(f"/jobs/{number}", lambda said: said.get("state") in ("FINISHED", "FAILED"), 180)
    assert ended["state"] == "FINISHED"
    restarts = flink.ask(f"/jobs/{number}/metrics?get=numRestarts")
    restored = flink.ask(f"/jobs/{number}/checkpoints")["counts"]["restored"]  # type: ignore[index]
    assert restored >= 1, f"nothing was restored: {restarts}"
    said = [
        base64.b64decode(line)
        for path in output.rglob("*.said")
        if not path.name.startswith(".")
        for line in path.read_text("utf-8").split()
    ]
    assert sorted(said) == sorted(run_all(RUN, SHARDS, PARCELS)[1])
