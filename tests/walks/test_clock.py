"""A server whose clock is set back, and far ahead, while devices send: it goes on, and loses nothing."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from bimetal.cli import door
from tests.walks.test_serve import Running, kept, start

FAKETIME = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)
HOUR_S = 3_600


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that says by how much the clock of a server is wrong; what never goes back still does not."""
    if FAKETIME is None:
        pytest.skip("needs libfaketime, which is not installed here")
    file = tmp_path / "clock"
    file.write_text("+0")
    monkeypatch.setenv("BIMETAL_HOME", str(tmp_path / "keys"))
    monkeypatch.setenv("LD_PRELOAD", str(FAKETIME))
    monkeypatch.setenv("FAKETIME_TIMESTAMP_FILE", str(file))
    monkeypatch.setenv("FAKETIME_NO_CACHE", "1")
    monkeypatch.setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1")
    return file


def sent(running: Running, count: int) -> None:
    """Publish readings without a time of their own, and post some."""
    for k in range(count):
        assert running.publish("readings/pump-1", json.dumps({"pressure": k}).encode())
        assert running.post("pump-2", json.dumps({"pressure": k}).encode())[0] == 200


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_a_clock_that_is_set_back_loses_nothing(
    tmp_path: Path, clock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, table = tmp_path / "plant.bm", tmp_path / "plant.csv"
    rows = (f"2026-01-01 {k // 3600:02}:{k // 60 % 60:02}:{k % 60:02},{k % 7}" for k in range(20_000))
    table.write_text("\n".join(("time,pressure", *rows)))
    assert door.run(["train", str(table), "-o", str(model)]) == 0
    data = tmp_path / "data"
    running = start(data, "--lab", "--model", str(model))
    sent(running, 5)
    for wrong in (-2 * HOUR_S, 30 * 365 * 24 * HOUR_S, -24 * HOUR_S):
        clock.write_text(f"{wrong:+d}")
        sent(running, 5)
        time.sleep(1.2)  # so that it settles, tends and looks by the new clock
    running.stop(signal.SIGKILL)
    clock.write_text(f"{-30 * 24 * HOUR_S:+d}")  # begun anew before all that it kept
    running = start(data, "--lab", "--model", str(model))
    sent(running, 5)
    code, said = running.stop()
    assert (code, "Traceback" in said) == (0, False), said
    assert kept(data) == {("pump-1", "pressure"): 25, ("pump-2", "pressure"): 25}
    capsys.readouterr()
    question = "SELECT device, year(time) AS year FROM readings"
    assert door.run(["query", "--data", str(data), "--json", question]) == 0
    years = Counter(json.loads(line)["year"] for line in capsys.readouterr().out.splitlines())
    assert sum(years.values()) == 50
    assert max(years) > min(years) + 20
