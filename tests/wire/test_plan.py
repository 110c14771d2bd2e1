"""What a plan makes of hints, of what a model remembers, and of stamps that rows share."""

from __future__ import annotations

from pathlib import Path

import pytest

from bimetal.nouns.errors import BadInput
from bimetal.nouns.signal import Signal
from bimetal.wire.file import open_table, open_tables
from bimetal.wire.table.hints import Hints
from bimetal.wire.table.shape import counted, length, listed, span

SIGNALS = (Signal("a", period_s=1.0), Signal("b", period_s=1.0))


def write(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_column_of_devices_that_a_model_has_met_tells_devices_apart(tmp_path: Path) -> None:
    rows = [f"{t},{('east', 'west')[t // 7 % 2]},{t % 5},{t % 3}" for t in range(40)]
    path = write(tmp_path / "f.csv", ["time,side,a,b", *rows])
    assert open_table(path, expect=SIGNALS).shape.device is None
    known = Hints(devices=("east", "west", "north"))
    table = open_table(path, known, expect=SIGNALS)
    assert table.shape.device == "side"
    assert list(table.batches())[-1].batch.devices == ("east", "west")
    assert open_table(path, Hints(devices=("up", "down")), expect=SIGNALS).shape.device is None


def test_a_table_without_its_header_has_the_columns_of_the_one_learned_from(tmp_path: Path) -> None:
    path = write(tmp_path / "f.csv", [f"{t},{t % 3},x,{t % 5}" for t in range(40)])
    hints = Hints(columns=("seconds", "b", "text", "a"))
    shape = open_table(path, hints, expect=SIGNALS).shape
    assert shape.time == "seconds"
    assert shape.notes == ("no header: columns are taken to be those the model learned from",)
    batch = next(iter(open_table(path, hints, expect=SIGNALS).batches())).batch
    assert batch.values[:4].tolist() == [[0, 0], [1, 1], [2, 2], [3, 0]]
    with pytest.raises(BadInput, match="there is no header, and 3 columns"):
        open_table(path, Hints(columns=("seconds", "b", "a")), expect=SIGNALS)


def test_an_ignored_column_is_neither_time_nor_device_nor_signal(tmp_path: Path) -> None:
    rows = [f"{1_700_000_000 + t},m{t % 2},{t % 7},{t % 5}" for t in range(40)]
    path = write(tmp_path / "f.csv", ["time,machine,a,b", *rows])
    shape = open_table(path, Hints(ignore=("TIME", "machine", "b"))).shape
    assert (shape.time, shape.device, [s.name for s in shape.signals]) == ("", None, ["a"])
    assert {d.reason for d in shape.dropped} == {"ignored, as asked for"}
    with pytest.raises(BadInput, match="no column is left"):
        open_table(path, Hints(ignore=("time", "machine", "a", "b")))


def test_rows_that_share_a_stamp_leave_no_gaps(tmp_path: Path) -> None:
    stamps = [t // 4 * 4 + (60 if t >= 200 else 0) for t in range(400)]
    path = write(tmp_path / "f.csv", ["time,a", *(f"{1_700_000_000 + s},{s % 7}" for s in stamps)])
    table = open_table(path)
    tally = table.survey()
    assert table.shape.period_s == pytest.approx(1.0, rel=0.02)
    assert table.shape.regular > 0.95
    assert (tally.gaps, tally.longest_gap_s, tally.repeated) == (1, 64.0, 300)


def test_a_column_called_time_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "f.csv", ["time,a", *(f"soon,{t % 7}" for t in range(40))])
    assert open_table(path).shape.notes == ("the column time cannot be read as time: 'soon'",)


def test_a_file_called_by_a_number_names_its_device_with_the_folder(tmp_path: Path) -> None:
    (tmp_path / "valve1").mkdir()
    lines = ["time,a", *(f"{1_700_000_000 + t},{t % 7}" for t in range(40))]
    assert open_table(write(tmp_path / "valve1" / "0.csv", lines)).name == "valve1_0"
    assert open_table(write(tmp_path / "pump.csv", lines)).name == "pump"


def test_more_devices_than_there_can_be_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bimetal.wire.table.assembly.MOST_DEVICES", 20)
    path = write(tmp_path / "f.csv", ["time,a,id", *(f"{t},{t % 7},x{t}" for t in range(40))])
    table = open_tables([path], Hints(device="id"))
    with pytest.raises(BadInput, match="the column id names more than 20 devices"):
        table.survey()


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.25, "250 ms"), (5e-5, "50 us"), (60, "1 min"), (90_000, "25 h"), (1.7e8, "1,968 days")],
)
def test_lengths_of_time_are_said_as_people_do(seconds: float, said: str) -> None:
    assert length(seconds) == said


def test_numbers_of_things_lists_and_spans() -> None:
    assert [counted(n, "row") for n in (0, 1, 2000)] == ["0 rows", "1 row", "2,000 rows"]
    assert counted(1, "box", "boxes") + counted(2, "box", "boxes") == "1 box2 boxes"
    assert listed(["a", "b", "c"], 2) == "a, b and 1 more"
    assert span(0, 10**9) == ""
    assert span(1_700_000_000 * 10**9, 1_700_000_001 * 10**9).startswith(", from 2023-11-14 22:13:20 to ")
