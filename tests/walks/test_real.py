"""Real data: public files as they are, learned and run without a word of configuration."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.csv
import pyarrow.parquet
import pytest

from tests.cli.ground import call

Find = Callable[..., Path]
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Replayed:
    """What `run` printed and wrote of a file."""

    events: list[dict[str, Any]]
    scores: list[dict[str, str]]
    notes: list[str]

    @property
    def alarms(self) -> list[dict[str, Any]]:
        """The alarms among the events."""
        return [e for e in self.events if e["kind"] == "alarm"]


def learn(data: Path, model: Path) -> dict[str, Any]:
    """Train on a file; return what it reports in figures."""
    ended = call("train", data, "-o", model, "--json")
    assert (ended.code, ended.err) == (0, "")
    return json.loads(ended.out)


def replay(model: Path, data: Path, folder: Path) -> Replayed:
    """Run a model on a file."""
    ended = call("run", model, data, "--json", "--scores", folder / "scores.csv")
    assert ended.code == 0, ended.err
    with (folder / "scores.csv").open(newline="", encoding="utf-8") as file:
        scores = list(csv.DictReader(file))
    assert [int(s["row"]) for s in scores] == list(range(len(scores)))
    return Replayed([json.loads(line) for line in ended.out.splitlines()], scores, ended.err.splitlines())


def labels(path: Path, column: str, separator: str = ";") -> list[bool]:
    """Whether each row of a file is marked."""
    with path.open(newline="", encoding="utf-8") as file:
        return [float(row[column]) > 0 for row in csv.DictReader(file, delimiter=separator)]


@pytest.fixture(scope="module")
def rig(data: Find, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the water rig of SKAB, learned from its run without anomalies."""
    model = tmp_path_factory.mktemp("rig") / "rig.bm"
    told = learn(data("skab", "anomaly-free", "anomaly-free.csv"), model)
    assert (told["time"], told["period_s"], told["rows"]) == ("datetime", 1.0, 9405)
    assert len(told["signals"]) == 8
    assert told["dropped"] == []
    return model


def test_a_valve_that_closes_is_told_with_its_reasons(rig: Path, data: Find, tmp_path: Path) -> None:
    path = data("skab", "valve1", "0.csv")
    seen = replay(rig, path, tmp_path)
    assert seen.alarms
    for alarm in seen.alarms:
        assert alarm["explanation"][0]["share"] >= 0.1
        assert alarm["explanation"][0]["signal"] in alarm["sentence"]
    faulty = labels(path, "anomaly")
    told = [s["alarm"] == "1" for s, bad in zip(seen.scores, faulty, strict=True) if bad]
    assert sum(told) >= 0.5 * len(told)


@pytest.mark.xfail(
    strict=True, reason="the rig was ten degrees colder that day: to the model, a way of running never seen"
)
def test_healthy_rows_of_another_day_are_mostly_quiet(rig: Path, data: Find, tmp_path: Path) -> None:
    path = data("skab", "valve1", "0.csv")
    seen = replay(rig, path, tmp_path)
    healthy = [s for s, bad in zip(seen.scores, labels(path, "anomaly"), strict=True) if not bad]
    assert sum(s["alarm"] == "0" for s in healthy) >= 0.9 * len(healthy)


def test_a_run_without_anomalies_is_mostly_quiet(data: Find, tmp_path: Path) -> None:
    """Learned from its first four fifths; the last has not been seen."""
    whole = data("skab", "anomaly-free", "anomaly-free.csv").read_text(encoding="utf-8").splitlines(True)
    (tmp_path / "early.csv").write_text("".join(whole[: len(whole) * 4 // 5]), encoding="utf-8")
    (tmp_path / "late.csv").write_text(whole[0] + "".join(whole[len(whole) * 4 // 5 :]), encoding="utf-8")
    learn(tmp_path / "early.csv", tmp_path / "m.bm")
    seen = replay(tmp_path / "m.bm", tmp_path / "late.csv", tmp_path)
    quiet = sum(s["alarm"] == "0" for s in seen.scores)
    assert quiet >= 0.9 * len(seen.scores)


def test_a_failing_machine_is_told_within_its_windows_and_seldom_else(data: Find, tmp_path: Path) -> None:
    name = "realKnownCause/machine_temperature_system_failure.csv"
    path = data("nab", "data", name)
    told = learn(path, tmp_path / "oven.bm")
    assert (told["time"], told["period_s"], told["rows"]) == ("timestamp", 300.0, 22695)
    seen = replay(tmp_path / "oven.bm", path, tmp_path)
    windows = json.loads(data("nab", "labels", "combined_windows.json").read_text(encoding="utf-8"))[name]
    alarmed = [s["time"] for s in seen.scores if s["alarm"] == "1"]
    found = [any(first[:19] <= time <= last[:19] for time in alarmed) for first, last in windows]
    assert sum(found) >= 2
    weeks = told["rows"] * told["period_s"] / DAY_S / 7
    outside = [
        a for a in seen.alarms
        if not any(first[:19] <= a["time"].replace("T", " ")[:19] <= last[:19] for first, last in windows)
    ]  # fmt: skip
    assert len(outside) <= weeks


@pytest.mark.parametrize(
    "parts",
    [
        ("skab", "valve1", "0.csv"),
        ("nab", "data", "realKnownCause", "ambient_temperature_system_failure.csv"),
    ],
    ids=lambda parts: parts[0],
)
def test_a_parquet_copy_gives_the_very_same_scores(
    parts: tuple[str, ...], data: Find, tmp_path: Path
) -> None:
    path, copy = data(*parts), tmp_path / parts[-2] / f"{Path(parts[-1]).stem}.parquet"
    copy.parent.mkdir()  # of the same name, after which the device may be called
    options = pyarrow.csv.ParseOptions(delimiter=";" if parts[0] == "skab" else ",")
    pyarrow.parquet.write_table(pyarrow.csv.read_csv(path, parse_options=options), copy, row_group_size=500)
    first, second = learn(path, tmp_path / "csv.bm"), learn(copy, tmp_path / "parquet.bm")
    assert first["digest"] == second["digest"]
    told: list[Replayed] = []
    for model, rows in (("csv", path), ("csv", copy), ("parquet", path)):
        told.append(replay(tmp_path / f"{model}.bm", rows, tmp_path))
    for other in told[1:]:
        assert other.events == told[0].events
        assert [(s["score"], s["alarm"]) for s in other.scores] == [
            (s["score"], s["alarm"]) for s in told[0].scores
        ]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a public file, and must be found out of it."""

    path: tuple[str, ...]
    time: str
    period_s: float
    signals: int
    dropped: tuple[str, ...] = ()
    says: str = ""
    per_day: float = 1.0
    """So many alarms a day at the most: one false alarm a week is promised, and some are not false."""


KNOWN = [
    Known(("air_quality", "AirQualityUCI.csv"), "Date + Time", 3600.0, 13, says="-200 is taken to mean"),
    Known(("occupancy", "datatraining.txt"), "date", 60.0, 6, ("c1",)),
    Known(("ett", "ETTh1.csv"), "date", 3600.0, 7),
    Known(("steel_energy", "Steel_industry_data.csv"), "date", 900.0, 6,
          ("NSM", "WeekStatus", "Day_of_week", "Load_Type")),
    Known(("pv_weather", "soiling_hsu_example_inputs.csv"), "TimeStamp", 3600.0, 3),
    Known(("har_emlearn", "pamap2_subject102_exerpt.parquet"), "time", 0.01, 3, ("activity",), per_day=100),
]  # fmt: skip


@pytest.mark.parametrize("known", KNOWN, ids=lambda k: k.path[0])
def test_a_public_file_is_understood_learned_and_run_as_it_is(
    known: Known, data: Find, tmp_path: Path
) -> None:
    path = data(*known.path)
    told = learn(path, tmp_path / "m.bm")
    assert (told["time"], told["period_s"], len(told["signals"])) == (
        known.time,
        known.period_s,
        known.signals,
    )
    assert tuple(d["name"] for d in told["dropped"]) == known.dropped
    assert any(known.says in note for note in ("", *told["notes"]))
    seen = replay(tmp_path / "m.bm", path, tmp_path)
    assert len(seen.scores) == told["rows"]
    days = told["rows"] * told["period_s"] / DAY_S
    assert len(seen.alarms) <= max(known.per_day * days, 1)
    assert all(a["sentence"] and a["explanation"] for a in seen.alarms)
    assert seen.notes[-1].startswith(f"{told['rows']:,} rows over ")


def test_files_of_a_second_run_are_understood_as_the_first(data: Find, tmp_path: Path) -> None:
    learn(data("occupancy", "datatraining.txt"), tmp_path / "m.bm")
    seen = replay(tmp_path / "m.bm", data("occupancy", "datatest.txt"), tmp_path)
    assert len(seen.scores) == 2665
    assert any("Light" in a["sentence"] for a in seen.alarms)
