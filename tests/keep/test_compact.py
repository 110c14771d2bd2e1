"""Joining small segments: few are left, each reading is moved seldom, and none is lost or doubled."""

from __future__ import annotations

import math
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimetal.keep.catalog import Sealed
from bimetal.keep.compact import FEWEST, run_to_join
from bimetal.keep.rule import Rule
from bimetal.keep.segment import Segments
from tests.keep.given import SECOND, START, batch, series


def sealed(number: int, rows: int) -> Sealed:
    return Sealed(str(number), number, number, 0, rows, 0, b"")


def files(segments: Segments) -> list[Path]:
    return sorted(segments.folder.glob("segments/*.parquet"))


@given(st.lists(st.integers(1, 60), min_size=1, max_size=300))
def test_few_are_left_and_none_is_moved_often(sizes: list[int]) -> None:
    most = 2000
    segments: list[Sealed] = []
    moved = dict.fromkeys(range(len(sizes)), 0)
    inside: dict[str, list[int]] = {}
    for number, rows in enumerate(sizes):
        segments.append(sealed(number, rows))
        inside[str(number)] = [number]
        while run := run_to_join(segments, most):
            total = sum(s.rows for s in run)
            assert len(run) >= FEWEST
            assert total <= most
            at = segments.index(run[0])
            assert segments[at : at + len(run)] == list(run)
            members = [k for s in run for k in inside.pop(s.name)]
            for k in members:
                moved[k] += 1
            segments[at : at + len(run)] = [sealed(run[0].first, total)]
            inside[str(run[0].first)] = members
    assert max(moved.values()) <= math.log2(most)
    assert len(segments) <= FEWEST * (2 + math.log2(most) + sum(sizes) / most)


def test_segments_that_are_joined_hold_the_same_readings(tmp_path: Path) -> None:
    segments = Segments(tmp_path)
    for k in range(FEWEST):
        segments.append(batch(40, start=40 * k - (7 if k % 2 else 0), devices=("pump", "fan", f"d{k}")))
        segments.seal()
    before, held = segments.batch(), segments.held()
    assert segments.tend()
    assert len(files(segments)) == 1
    assert not segments.tend()
    after = segments.batch()
    assert after.devices == before.devices
    assert after.time_ns.tolist() == before.time_ns.tolist()
    np.testing.assert_array_equal(after.values, before.values)
    assert segments.held() == held
    segments.close()
    segments = Segments(tmp_path)
    assert segments.held() == held
    segments.close()


def test_a_correction_that_comes_while_they_are_joined_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    segments = Segments(tmp_path)
    for k in range(FEWEST):
        segments.append(batch(4, start=4 * k))
        segments.seal()
    corrected = batch(2, seed=77)
    wanted = series(corrected, "pump", "pressure").items()
    calls: list[float] = []

    def between(share: float) -> bool:
        calls.append(share)
        if len(calls) == 2:  # the first asks whether to seal instead of joining
            segments.append(corrected)
            segments.seal()
        return False

    monkeypatch.setattr(segments, "_seal_if", between)
    assert not segments.tend()
    assert len(calls) >= 2
    assert len(files(segments)) == FEWEST + 1
    monkeypatch.undo()
    assert series(segments.batch(), "pump", "pressure").items() >= wanted
    assert sum(h.rows for h in segments.held()) == FEWEST * 4 * 2
    assert segments.tend()
    assert series(segments.batch(), "pump", "pressure").items() >= wanted
    segments.close()


def test_sealing_goes_on_while_segments_are_joined(tmp_path: Path) -> None:
    segments = Segments(tmp_path, seal_readings=200)
    for k in range(FEWEST):
        segments.append(batch(50, start=50 * k))
        segments.seal()
    segments.append(batch(60, start=1000))  # 120 readings: due for one that tends, not for one that appends
    assert segments.unsealed == 120
    while segments.tend():
        pass
    assert segments.unsealed == 0
    assert len(segments.batch()) == FEWEST * 50 + 60
    segments.close()


def test_a_full_disk_while_joining_leaves_all_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    segments = Segments(tmp_path)
    for k in range(FEWEST):
        segments.append(batch(4, start=4 * k))
        segments.seal()
    before = files(segments)

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bimetal.keep.segment_file.checks_of", refuse)
    with pytest.raises(Exception, match="no room"):
        segments.tend()
    monkeypatch.undo()
    assert files(segments) == before
    assert sorted(p.name for p in (tmp_path / "segments").iterdir()) == [p.name for p in before]
    assert segments.tend()
    segments.close()


def test_joined_segments_can_be_slimmed_and_joined_again(tmp_path: Path) -> None:
    segments = Segments(tmp_path)
    for k in range(FEWEST):
        segments.append(batch(20, start=20 * k, devices=("pump", "fan")))
        segments.seal()
    segments.tend()
    removed = segments.remove([Rule(device="fan"), Rule(before_ns=START + 10 * SECOND)])
    assert removed.readings == FEWEST * 20 + 10
    assert [p.name[-14:] for p in files(segments)] == ["000001.parquet"]
    (segments.folder / "catalog.sqlite").rename(tmp_path / "old")
    segments.close()
    segments = Segments(tmp_path)
    assert segments.batch().devices == ("pump",)
    assert int(segments.batch().time_ns[0]) == START + 10 * SECOND
    segments.close()


def test_a_lost_catalog_takes_the_joined_segment_and_not_those_it_was_made_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    segments = Segments(tmp_path)
    for k in range(FEWEST):
        segments.append(batch(4, start=4 * k))
        segments.seal()
    held = segments.held()
    monkeypatch.setattr("bimetal.keep.store.remove_durably", lambda _paths: None)
    segments.tend()
    monkeypatch.undo()
    assert len(files(segments)) == FEWEST + 1
    segments.close()
    (tmp_path / "catalog.sqlite").unlink()
    segments = Segments(tmp_path)
    assert len(files(segments)) == 1
    assert segments.held() == held
    segments.close()


def test_everything_at_once(tmp_path: Path) -> None:
    """Threads append, read, draw and tend; at the end every reading is there once."""
    segments = Segments(tmp_path, seal_readings=60)
    failed: list[Exception] = []

    def repeat(act: object, times: int) -> None:
        try:
            for k in range(times):
                act(k)  # type: ignore[operator]
        except Exception as error:
            failed.append(error)

    acts = [
        (lambda k: segments.append(batch(4, start=4 * k, devices=("a",))), 150),
        (lambda k: segments.append(batch(4, start=4 * k, devices=("b",))), 150),
        (lambda k: segments.tend(), 60),
        (lambda k: segments.read("a", "pressure"), 60),
        (lambda k: segments.picture("b", "pressure", stretches=5), 60),
    ]
    threads = [threading.Thread(target=repeat, args=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    segments.seal()
    assert [(h.device, h.rows) for h in segments.held()] == [("a", 600)] * 2 + [("b", 600)] * 2
    assert len(segments.batch()) == 1200
    segments.close()
