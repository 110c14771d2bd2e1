"""Roles of columns: time, device, label, sentinel, signal, or why not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from bimetal.nouns.errors import BadInput
from bimetal.nouns.signal import Signal
from bimetal.wire.table.cell import Marks
from bimetal.wire.table.column import Cells, Column, look_at
from bimetal.wire.table.device import device_id, find_device, sounds_like_device
from bimetal.wire.table.dial import find_clock
from bimetal.wire.table.expect import match_signals
from bimetal.wire.table.find import find_column, seek_column
from bimetal.wire.table.label import find_label, has_minus, labels_of
from bimetal.wire.table.sentinel import find_sentinels
from bimetal.wire.table.sift import Ground, sift
from bimetal.wire.table.trial import sounds_like_time

N = 240
RNG = np.random.default_rng(7)
NOISE = RNG.normal(20, 2, N).round(3)


def column(heading: str, cells: Sequence[object], place: int = 0) -> Column:
    text = [("" if c is None else str(c)).encode() for c in cells]
    return look_at(place, heading, Cells(text=np.array(text, dtype=np.bytes_)), Marks())


def table(**columns: Sequence[object]) -> list[Column]:
    return [column(name, cells, place) for place, (name, cells) in enumerate(columns.items())]


def stamps(step: Callable[[int], int] = lambda i: i) -> list[str]:
    return [str(np.datetime64("2024-03-05T10:00:00") + step(i)).replace("T", " ") for i in range(N)]


SECONDS = np.arange(N, dtype=np.int64) * 10**9


@pytest.mark.parametrize(
    "heading",
    [
        "time",
        "Timestamp",
        "DateTime",
        "time_ms",
        "Time (s)",
        "date",
        "recorded_at time",
        "t",
        "ts",
        "UTC time",
    ],
)
def test_what_sounds_like_time(heading: str) -> None:
    assert sounds_like_time(heading)


@pytest.mark.parametrize(
    "heading", ["runtime left", "ENGINE_RUN_TIME", "T", "cycle time", "temp", "time to failure", "value", ""]
)
def test_what_does_not_sound_like_time(heading: str) -> None:
    assert not sounds_like_time(heading)


@pytest.mark.parametrize(
    "heading",
    ["machineID", "unit number", "device", "Sensor_ID", "id", "motor", "station name", "mac address"],
)
def test_what_sounds_like_a_device(heading: str) -> None:
    assert sounds_like_device(heading)


@pytest.mark.parametrize(
    "heading",
    ["motor speed", "room temperature", "Machine failure", "Product ID", "type", "unit price", "setting"],
)
def test_what_does_not_sound_like_a_device(heading: str) -> None:
    assert not sounds_like_device(heading)


@pytest.mark.parametrize(
    ("cells", "kind", "place"),
    [
        ({"x": NOISE, "when": stamps()}, "stamp", 1),
        ({"created": stamps(lambda i: 0), "time": stamps(), "x": NOISE}, "stamp", 1),
        ({"x": NOISE, "ts": [1.7e9 + i for i in range(N)]}, "count", 1),
        ({"x": NOISE, "elapsed_s": [i / 10 for i in range(N)]}, "count", 1),
        (
            {
                "day": ["2024-03-05"] * N,
                "clock": [f"{i // 60:02d}:{i % 60:02d}" for i in range(N)],
                "x": NOISE,
            },
            "stamp",
            0,
        ),
        (
            {
                "date": [f"2024-03-{5 + i // 24:02d}" for i in range(N)],
                "hr": [i % 24 for i in range(N)],
                "x": NOISE,
            },
            "parts",
            0,
        ),
        ({"compact": [20240305100000 + i // 60 * 100 + i % 60 for i in range(N)], "x": NOISE}, "stamp", 0),
    ],
)
def test_the_clock_is_found(cells: dict[str, Sequence[object]], kind: str, place: int) -> None:
    clock = find_clock(table(**cells), (0,), headed=True)
    assert (clock.kind, clock.places[0]) == (kind, place)


@pytest.mark.parametrize(
    "cells",
    [
        {"x": NOISE, "T": [i / 10 for i in range(N)]},
        {"energy": [1.2e9 + i for i in range(N)]},
        {"pressure": [10132500 + i % 50 for i in range(N)]},
        {"level": [f"{i % 12}.{i % 60:02d}" for i in range(N)]},
    ],
)
def test_what_is_no_clock(cells: dict[str, Sequence[object]]) -> None:
    assert find_clock(table(**cells), (0,), headed=True).kind == "row"


def test_a_date_that_the_data_does_not_tell_is_said_to_be_assumed() -> None:
    clock = find_clock(table(when=["05/03/2024 10:00"] * N, x=NOISE), (0,), headed=True)
    assert "assumed" in clock.said
    assert (
        "assumed"
        not in find_clock(table(when=[f"{1 + i % 28}/03/2024" for i in range(N)]), (0,), headed=True).said
    )


def found(
    cells: dict[str, Sequence[object]], *, headed: bool = True, timed: bool = True, ns: np.ndarray = SECONDS
) -> str | None:
    device = find_device(table(**cells), ns, (0,), timed=timed, headed=headed)
    return device.heading if device else None


def test_a_device_by_its_name() -> None:
    assert found({"machine": ["a", "b", "c"] * 80, "x": NOISE}) == "machine"
    assert found({"unit": [1 + i // 24 for i in range(N)], "x": NOISE}) == "unit"


def test_a_device_by_what_it_does() -> None:
    back = np.tile(np.arange(N // 4, dtype=np.int64), 4) * 10**9
    assert found({"who": [f"run{i // 60}" for i in range(N)], "x": NOISE}, ns=back) == "who"
    assert (
        found(
            {"c1": [i // 60 for i in range(N)], "c2": [i % 60 for i in range(N)]}, headed=False, timed=False
        )
        == "c1"
    )
    turns = (
        np.sort(np.concatenate([np.arange(N // 3) * 60 + k * 13 for k in range(3)])).astype(np.int64) * 10**9
    )
    assert found({"c1": ["a", "b", "c"] * 80, "x": NOISE}, ns=turns) == "c1"


@pytest.mark.parametrize(
    "cells",
    [
        {"mode": ["auto", "hand"] * 120, "x": NOISE},
        {"Load_Type": [["low", "high"][i // 20 % 2] for i in range(N)], "x": NOISE},
        {"Product ID": [f"M{i}" for i in range(N)], "x": NOISE},
        {"gear": [RNG.integers(1, 6) for _ in range(N)], "x": NOISE},
        {"device temp": [i % 5 for i in range(N)]},
        {"unit": NOISE},
    ],
)
def test_what_is_no_device(cells: dict[str, Sequence[object]]) -> None:
    assert found(cells) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("pump 1", "pump 1"),
        ("a/b#c", "a_b_c"),
        ("", "unknown"),
        ("..", "unknown"),
        ("x" * 300, "x" * 128),
        ("a\nb", "a_b"),
    ],
)
def test_ids_that_devices_can_have(text: str, name: str) -> None:
    assert device_id(text) == name


@pytest.mark.parametrize(
    ("heading", "cells"),
    [
        ("anomaly", [float(i > 200) for i in range(N)]),
        ("is_anomaly", ["True" if i > 200 else "False" for i in range(N)]),
        ("Machine failure", [int(i % 50 == 3) for i in range(N)]),
        ("Label", ["normal"] * 200 + ["ddos"] * 40),
        ("machine_status", ["NORMAL"] * 200 + ["BROKEN"] * 2 + ["RECOVERING"] * 38),
        ("class", [1] * 200 + [-1] * 40),
    ],
)
def test_a_label_is_found(heading: str, cells: Sequence[object]) -> None:
    label = find_label(table(**{"x": NOISE, heading: cells}))
    assert label is not None
    assert label.heading == heading
    marked = labels_of(label.text(), minus=has_minus(label))
    assert 0 < marked.sum() < N / 2


@pytest.mark.parametrize(
    ("heading", "cells"),
    [
        ("target speed", NOISE),
        ("label", ["rice", "maize"] * 120),
        ("y", [i % 7 for i in range(N)]),
        ("status", [i % 3 for i in range(N)]),
        ("target", NOISE),
        ("mode", ["auto", "hand"] * 120),
    ],
)
def test_what_labels_nothing(heading: str, cells: Sequence[object]) -> None:
    assert find_label(table(**{heading: cells})) is None


def coded(values: np.ndarray, code: float, count: int = 12) -> list[float]:
    mixed = values.copy()
    mixed[RNG.choice(N, count, replace=False)] = code
    return mixed.tolist()


@pytest.mark.parametrize("code", [-200.0, 999.0, -9999.0, 65535.0, -127.0, 1e30])
def test_a_code_for_missing_is_seen(code: float) -> None:
    assert find_sentinels(table(x=coded(NOISE, code))) == {0: code}


def test_a_code_certain_in_one_column_is_believed_in_another() -> None:
    wide = RNG.normal(1000, 300, N).round(1)
    assert find_sentinels(table(x=coded(NOISE, -200), y=coded(wide, -200))) == {0: -200, 1: -200}
    assert find_sentinels(table(y=coded(wide, -200))) == {}


@pytest.mark.parametrize(
    "values",
    [
        coded(NOISE, 0),
        coded(NOISE, 85),
        coded(NOISE, -200, 2),
        coded(NOISE + 1000, 60),
        [100.0] * 100 + [20.0] * 140,
        coded(NOISE, 22.5, 60),
    ],
)
def test_what_is_no_code(values: list[float]) -> None:
    assert find_sentinels(table(x=values)) == {}


def reasons(ns: np.ndarray = SECONDS, timed: bool = True, **cells: Sequence[object]) -> dict[str, str]:
    kept, dropped = sift(table(**cells), Ground(ns, (0,), timed))
    return {d.name: d.reason for d in dropped} | {c.heading: "" for c in kept}


def test_why_a_column_is_no_signal() -> None:
    hourly = np.arange(N, dtype=np.int64) * 3600 * 10**9
    assert reasons(
        hourly,
        x=NOISE,
        again=NOISE,
        none=[None] * N,
        still=[4.5] * N,
        words=["a", "b"] * 120,
        nr=range(N),
        hour=[i % 24 for i in range(N)],
        weekday=[(i // 24 + 3) % 7 for i in range(N)],
        meter=[7 + i // 2 for i in range(N)],
        fault=[i % 2 for i in range(N)],
        other=[str(np.datetime64("2024-03-05") + i) for i in range(N)],
    ) == {
        "x": "",
        "again": "duplicate of x",
        "none": "empty",
        "still": "constant (4.5)",
        "words": "text",
        "nr": "counter or row number",
        "hour": "time part: it follows from the time",
        "weekday": "time part: it follows from the time",
        "meter": "counter or row number",
        "fault": "label",
        "other": "time part: another time stamp",
    }


def test_what_stays_a_signal() -> None:
    ramp = [20 + i * 0.05 for i in range(N)]
    wear = np.cumsum(RNG.integers(0, 6, N)) % 97
    heat = [round(90 - 60 * np.exp(-i / 60)) for i in range(N)]
    assert reasons(ramp=ramp, wear=wear, heat=heat, on=[i // 9 % 2 for i in range(N)]) == {
        "ramp": "",
        "wear": "",
        "heat": "",
        "on": "",
    }


def test_a_column_by_a_name_that_is_nearly_its_own() -> None:
    columns = table(**{"Volume Flow RateRMS": NOISE, "temp (°C)": NOISE, "Temp2": NOISE})
    assert find_column(columns, "volume_flow_raterms", "f").place == 0
    assert find_column(columns, "TEMP", "f").place == 1
    assert find_column(columns, "temp [K]", "f").place == 1
    assert seek_column(columns, "pressure") is None
    with pytest.raises(BadInput, match=r"there is no column 'tmp2'\. Did you mean Temp2") as refused:
        find_column(columns, "tmp2", "")
    assert refused.value.hint


def test_signals_of_a_model_find_their_columns() -> None:
    columns = table(**{"Temp (°F)": NOISE, "PRESSURE": NOISE, "extra": NOISE})
    matches, notes = match_signals(
        columns, [Signal("pressure", "bar"), Signal("temp", "Cel")], "f", headed=True
    )
    assert [m.column.place if m.column else -1 for m in matches] == [1, 0]
    assert matches[1].factor * 212 + matches[1].offset == pytest.approx(100)
    assert notes == [
        "temp is converted from [degF] to the model's Cel",
        "left out, because the model does not know them: extra",
    ]


def test_what_was_left_out_in_training_is_no_news() -> None:
    columns = table(a=NOISE, b=NOISE, words=["on the left"] * N, spare=NOISE)
    _, notes = match_signals(columns, [Signal("a")], "f", headed=True, taught=("a", "spare"))
    assert notes == ["left out, because the model does not know them: b"]


def test_up_to_half_the_signals_may_be_absent() -> None:
    columns = table(a=NOISE)
    matches, notes = match_signals(columns, [Signal("a"), Signal("b")], "f", headed=True)
    assert matches[1].column is None
    assert "b" in notes[0]
    with pytest.raises(BadInput, match="2 of 3 signals are not there: b, c"):
        match_signals(columns, [Signal("a"), Signal("b"), Signal("c")], "f", headed=True)


def test_without_a_header_columns_come_in_the_model_s_order() -> None:
    columns = table(c1=NOISE, c2=NOISE)
    matches, _ = match_signals(columns, [Signal("x"), Signal("y")], "f", headed=False)
    assert [m.column.heading for m in matches if m.column] == ["c1", "c2"]
    with pytest.raises(BadInput, match="2 columns cannot be told to be the model's 3 signals"):
        match_signals(columns, [Signal("x"), Signal("y"), Signal("z")], "f", headed=False)
