"""The cold walk and its replay, from a CSV to explained alarms, by the commands a user types."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from bimetal.cli import door


@pytest.fixture(scope="module", autouse=True)
def _own_key(tmp_path_factory: pytest.TempPathFactory) -> object:
    patch = pytest.MonkeyPatch()
    patch.setenv("BIMETAL_HOME", str(tmp_path_factory.mktemp("home")))
    yield None
    patch.undo()


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plant")
    assert door.run(["sample", "-o", str(folder / "plant.csv"), "--seconds", "240"]) == 0
    assert door.run(["train", str(folder / "plant.csv"), "-o", str(folder / "plant.bm")]) == 0
    return folder


def test_training_reports_what_was_found(plant: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = str(plant / "again.bm")
    assert door.run(["train", str(plant / "plant.csv"), "-o", model, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["time"] == "time"
    assert [s["unit"] for s in told["signals"]] == ["mm/s", "Cel", "A", "bar", "/min"]
    assert [d["name"] for d in told["dropped"]] == ["fault"]
    assert told["devices"] == ["pump-01", "pump-02", "pump-03", "pump-04"]
    assert told["rows"] + told["rows_left_out"] == 240 * 10 * 4


def test_every_row_gets_a_score_and_faults_are_found(plant: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores = plant / "scores.csv"
    data, model = str(plant / "plant.csv"), str(plant / "plant.bm")
    assert door.run(["run", model, data, "--json", "--scores", str(scores)]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    began = [e for e in events if e["kind"] in ("alarm", "quality")]
    assert began
    for event in began:
        assert event["sentence"].startswith(event["device"])
        assert event["cause"] in ("process", "sensor")
        assert event["explanation"]
        assert sum(part["share"] for part in event["explanation"]) <= 1.0
    with scores.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["row", "time", "device", "score", "alarm"]
    assert [int(r["row"]) for r in rows] == list(range(240 * 10 * 4))
    assert all(float(r["score"]) >= 0 for r in rows)
    truth = [line.rsplit(",", 1)[1] for line in (plant / "plant.csv").read_text().splitlines()[1:]]
    before: dict[str, str] = {}
    for row, bad in zip(rows, truth, strict=True):
        began_now = row["alarm"] == "1" and before.get(row["device"]) != "1"
        assert not (began_now and bad == "0"), f"a false alarm begins at {row}"
        before[row["device"]] = row["alarm"]


def test_a_model_shows_itself(plant: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert door.run(["show", str(plant / "plant.bm"), "--json"]) == 0
    card = json.loads(capsys.readouterr().out)
    assert card["promise"] == "1/week"
    assert set(card["usual"]) == {"", "pump-01", "pump-02", "pump-03", "pump-04"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"time,a\n2026-01-01,1\n", "row"),
        (b"\x89PNG\r\n\x1a\n" + bytes(64), ""),
    ],
)
def test_bad_files_get_one_sentence_and_leave_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, says: str
) -> None:
    (tmp_path / "bad.csv").write_bytes(content)
    assert door.run(["train", str(tmp_path / "bad.csv"), "-o", str(tmp_path / "m.bm")]) == 1
    err = capsys.readouterr().err
    assert len(err.strip().splitlines()) == 1
    assert says in err
    assert [p.name for p in tmp_path.iterdir()] == ["bad.csv"]


def test_missing_and_foreign_models_are_said(plant: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = str(plant / "plant.csv")
    assert door.run(["run", str(plant / "none.bm"), data]) == 4
    assert door.run(["run", data, data]) == 1
    whole = (plant / "plant.bm").read_bytes()
    (plant / "cut.bm").write_bytes(whole[:-7])
    assert door.run(["run", str(plant / "cut.bm"), data]) == 1
    (plant / "bent.bm").write_bytes(whole[:-7] + bytes(7))
    assert door.run(["run", str(plant / "bent.bm"), data]) == 5
    assert "Traceback" not in capsys.readouterr().err
