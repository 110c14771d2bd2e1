"""`bimetal feedback`: a label changes what is said from then on, is kept, and can be taken back."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from bimetal.bundle.seal import read
from bimetal.learn.card import card_of
from bimetal.program.digest import digest
from tests.cli.ground import Ended, broken, call, rows, table

SINCE = 370
AT = f"2026-01-01T00:06:{SINCE - 360 + 20:02d}Z"


@pytest.fixture
def plant(quiet: Path, tmp_path: Path) -> Path:
    """A folder with a model, and a table in which a flow rises far beyond all that was seen."""
    shutil.copy(quiet / "quiet.bm", tmp_path / "plant.bm")
    lines = broken(rows(SINCE + 60, seed=9), SINCE)
    (tmp_path / "odd.csv").write_text(table(lines), encoding="utf-8")
    return tmp_path


def give(plant: Path, *more: object) -> Ended:
    """Say something of the alarm."""
    return call("feedback", plant / "plant.bm", "--data", plant / "odd.csv", "--at", AT, *more)


def alarms(plant: Path) -> int:
    """How many alarms the model raises in the table."""
    said = call("run", plant / "plant.bm", plant / "odd.csv", "--json")
    assert said.code == 0, said.err
    return sum(json.loads(line)["kind"] == "alarm" for line in said.out.splitlines())


def test_a_label_silences_is_kept_and_can_be_taken_back(plant: Path) -> None:
    before = digest(read(plant / "plant.bm").bundle.program)
    assert alarms(plant) == 1
    told = json.loads(give(plant, "--not-a-fault", "--name", "flushing", "--who", "ann", "--json").out)
    assert (told["alarms_before"], told["alarms_after"], told["rebuilt"]) == (1, 0, True)
    assert alarms(plant) == 0
    (kept,) = card_of(read(plant / "plant.bm").bundle.card).labels
    assert (kept.name, kept.who, kept.verdict.value) == ("flushing", "ann", "not a fault")
    made = digest(read(plant / "plant.bm").bundle.program)
    assert made != before
    undone = call("feedback", plant / "plant.bm", "--undo", 1)
    assert undone.out.startswith("Taken back: Label 1: the alarm of 2026-01-01T00:06:")
    assert alarms(plant) == 1
    assert digest(read(plant / "plant.bm").bundle.program) == made
    listed = call("feedback", plant / "plant.bm").out
    assert "'flushing'" in listed
    assert "taken back at" in listed


def test_a_model_can_be_written_beside_the_one_there_is(plant: Path) -> None:
    assert give(plant, "--fault", "-o", plant / "other.bm").code == 0
    assert len(card_of(read(plant / "other.bm").bundle.card).labels) == 1
    assert not card_of(read(plant / "plant.bm").bundle.card).labels


def test_a_notice_about_a_sensor_that_was_wrong_does_not_come_again(plant: Path) -> None:
    lines = rows(500, seed=9)
    lines[300:400] = [f"{line.rsplit(',', 1)[0]},3.1" for line in lines[300:400]]
    (plant / "still.csv").write_text(table(lines), encoding="utf-8")
    data = ("--data", plant / "still.csv", "--at", "2026-01-01T00:06:00Z", "--sensor", "flow")

    def notices() -> list[str]:
        said = [
            json.loads(x)
            for x in call("run", plant / "plant.bm", plant / "still.csv", "--json").out.splitlines()
        ]
        return [s["sentence"] for s in said if s["kind"] == "quality"]

    before = (read(plant / "plant.bm").bundle, notices())
    assert "the flow sensor has repeated 3.1" in before[1][0]
    told = call(
        "feedback", plant / "plant.bm", *data, "--not-a-fault", "--name", "valve shut"
    ).out.splitlines()
    assert told[0].startswith(
        "Label 1: the notice about flow of 2026-01-01T00:06:00Z was not a fault ('valve shut')"
    )
    assert told[1].startswith("Told later from now on (flow, stuck after: ")
    assert told[2] == "In the readings around it: 1 notice before, 0 now."
    assert told[3].endswith("the program is the same; devices need new parameters alone.")
    assert not [n for n in notices() if "repeated" in n]
    assert digest(read(plant / "plant.bm").bundle.program) == digest(before[0].program)
    undone = call("feedback", plant / "plant.bm", "--undo", 1)
    assert undone.out.startswith("Taken back: Label 1: the notice about flow of")
    after = read(plant / "plant.bm").bundle
    assert after.block_of("still") == after.block_of("") == before[0].block_of("")
    wrong = call("feedback", plant / "plant.bm", *data[:-1], "flwo", "--fault").sentence(4)
    assert "no signal 'flwo'. Did you mean flow?" in wrong


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--sensor", "flow"), 1, "a sensor is named for a notice at a time"),
        (
            ("--fault", "--data", "odd.csv", "--at", AT, "--sensor", "temperature"),
            1,
            "nothing was said of the sensor",
        ),
        (("--undo", 7), 4, "no label 7 is in force"),
        (("--undo", 1, "--fault"), 1, "either given or taken back"),
        (("--fault",), 1, "which alarm is meant was not said"),
        (("--at", AT), 1, "nothing was said of the alarm"),
        (("--fault", "--data", "odd.csv", "--at", "yesterday"), 1, "is not a time"),
        (("--not-a-fault", "--data", "odd.csv", "--at", "2026-01-01T00:04:00Z"), 1, "no alarm at that time"),
        (("--fault", "--data", "odd.csv", "--at", "2026-01-01T00:00:05Z"), 1, "look so usual"),
        (("--fault", "--data", "odd.csv", "--at", "2031-01-01T00:04:00Z"), 1, "no readings of"),
        (("--fault", "--data", "odd.csv", "--event", "1:0:a:b"), 1, "only a folder of what is kept"),
        (("--fault", "--data", "odd.csv", "--at", AT, "--name", "a\nb"), 1, "printable characters"),
        (("--fault", "--data", "no.csv", "--at", AT), 4, "no.csv"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_changes_nothing(
    plant: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[object, ...], code: int, said: str
) -> None:
    monkeypatch.chdir(plant)
    before = (plant / "plant.bm").read_bytes()
    ended = call("feedback", "plant.bm", *words)
    assert said in ended.sentence(code)
    assert (plant / "plant.bm").read_bytes() == before
