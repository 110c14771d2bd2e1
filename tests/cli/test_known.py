"""Lists of events: times and rows, devices and signals, and how each fault in them is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bimetal.cli.known import known_of
from bimetal.learn.metric.blame import Blame
from bimetal.nouns.errors import BadInput, NotFound

SECOND = 10**9
START = np.datetime64("2026-01-01T00:00:00", "ns").astype(np.int64)
TIMES = START + np.arange(10, dtype=np.int64) * SECOND
SIGNALS = ("temperature", "flow")


def known(tmp_path: Path, text: str):
    """What a file with this text says."""
    (tmp_path / "events.csv").write_text(text, encoding="utf-8")
    return known_of(tmp_path / "events.csv", SIGNALS)


def test_times_with_both_ends(tmp_path: Path) -> None:
    told = known(tmp_path, "start,end\n2026-01-01T00:00:02,2026-01-01T00:00:04\n")
    assert told.labels("a", TIMES)[0].tolist() == [0, 0, 1, 1, 1, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    "time", ["2026-01-01 00:00:02Z", "2026-01-01T01:00:02+01:00", "2026-01-01T00:00:02.000"]
)
def test_times_as_people_write_them(tmp_path: Path, time: str) -> None:
    told = known(tmp_path, f"start,end\n{time},{time}\n")
    assert np.flatnonzero(told.labels("a", TIMES)[0]).tolist() == [2]


def test_rows_of_one_device_and_who_was_at_fault(tmp_path: Path) -> None:
    told = known(tmp_path, "first,last,device,signals\n1,2,a,flow; temperature\n5,5,b,\n\n")
    labels, blames = told.labels("a", TIMES)
    assert np.flatnonzero(labels).tolist() == [1, 2]
    assert blames == (Blame(1, 2, (1, 0)),)
    assert np.flatnonzero(told.labels("b", TIMES)[0]).tolist() == [5]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no list of events"),
        ("a,b\n1,2\n", "no list of events"),
        ("start,end,colour\n", "no list of events"),
        ("start,end\nyesterday,today\n", "line 2: 'yesterday' is no time"),
        ("start,end\n2026-01-01,\n", "line 2: '' is no time"),
        ("first,last\n1,2\nx,3\n", "line 3: 'x' is no number of a row"),
        ("start,end\n2026-01-02,2026-01-01\n", "ends before it begins"),
        ("first,last,signals\n1,2,flwo\n", "Did you mean flow"),
        ("first,last,signals\n1,2,zzz\n", "There are: temperature, flow"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        known(tmp_path, text)


def test_no_file_and_no_text(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        known_of(tmp_path / "nothing.csv", SIGNALS)
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00start")
    with pytest.raises(BadInput, match="CSV in UTF-8"):
        known_of(tmp_path / "b.csv", SIGNALS)


def test_a_device_that_is_not_there_is_refused_with_the_nearest(tmp_path: Path) -> None:
    told = known(tmp_path, "first,last,device\n1,2,pump-1\n")
    with pytest.raises(BadInput, match="Did you mean pump-01"):
        told.check(["pump-01", "fan"], {"pump-01": TIMES})


def test_events_outside_of_the_data_are_counted(tmp_path: Path) -> None:
    told = known(tmp_path, "first,last\n1,2\n8,12\n50,60\n")
    assert told.check(["a"], {"a": TIMES})[0].endswith("1 of 3 events lie outside of the data")
    assert known(tmp_path, "first,last\n1,2\n").check(["a"], {"a": TIMES}) == []
