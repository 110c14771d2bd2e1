"""Segments: what was acknowledged is there, whatever happens to the process, the disk or the files."""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bimetal.keep import journal as journal_file
from bimetal.keep import shelf
from bimetal.keep.segment import Segments
from bimetal.nouns import Batch, Quality, Signal
from bimetal.nouns.errors import BadInput, NotFound, Unsupported
from tests.keep.given import PRESSURE, SECOND, START, TEMPERATURE, batch, flip, series


@pytest.fixture
def segments(tmp_path: Path) -> Iterator[Segments]:
    opened = Segments(tmp_path / "kept")
    yield opened
    opened.close()


def reopened(segments: Segments, *, repair: bool = False) -> Segments:
    segments.close()
    return Segments(segments.folder, repair=repair)


def test_a_batch_comes_back_before_and_after_sealing_and_reopening(segments: Segments) -> None:
    whole = batch(50)
    segments.append(whole)
    for step in (lambda s: s, reopened, lambda s: (s.seal(), s)[1], reopened):
        segments = step(segments)
        back = segments.batch()
        assert back.signals == tuple(sorted(whole.signals, key=lambda s: s.name))
        for device in whole.devices:
            assert series(back, device, "pressure") == series(whole, device, "pressure")
    assert segments.unsealed == 0
    segments.close()


def test_a_series_is_read_by_time(segments: Segments) -> None:
    segments.append(batch(20))
    segments.seal()
    segments.append(batch(20, start=20), Quality.DOUBTFUL)
    column = segments.read("pump", "temperature", START + 10 * SECOND, START + 30 * SECOND)
    assert ((column.time_ns - START) // SECOND).tolist() == list(range(10, 30, 2))
    assert column.quality.tolist() == [Quality.GOOD] * 5 + [Quality.DOUBTFUL] * 5
    assert (
        column.value.tolist()[-1] == series(batch(20, start=20), "pump", "temperature")[START + 28 * SECOND]
    )


def test_what_is_not_kept_is_empty(segments: Segments) -> None:
    assert len(segments.read("nobody", "temperature").time_ns) == 0
    assert len(segments.batch()) == 0
    assert segments.batch(signals=["temperature"]).signals == (Signal("temperature"),)
    assert segments.held() == ()
    assert segments.seal() is None


def test_a_correction_wins_across_segments_and_journal(segments: Segments) -> None:
    for seed in (1, 2, 3):
        segments.append(batch(6, seed=seed))
        if seed < 3:
            segments.seal()
    assert series(segments.batch(), "pump", "pressure") == series(batch(6, seed=3), "pump", "pressure")


def test_only_readings_are_kept(segments: Segments) -> None:
    values = np.array([[1.0, np.nan], [np.nan, np.nan], [3.0, 4.0]])
    given = batch(3, devices=("pump",))
    segments.append(Batch(given.devices, given.signals, given.time_ns, given.device, values))
    sealed = segments.seal()
    assert sealed is not None
    assert sealed.rows == 3
    assert [h.rows for h in segments.held()] == [1, 2]


def test_held_joins_segments_and_journal(segments: Segments) -> None:
    segments.append(batch(4))
    segments.seal()
    segments.append(batch(4, start=4, devices=("pump", "new")))
    found = {(h.device, h.signal): (h.rows, (h.first_ns - START) // SECOND) for h in segments.held()}
    assert found["pump", "pressure"] == (4, 0)
    assert found["new", "temperature"] == (2, 5)
    assert len(found) == 6


def test_sealing_happens_by_itself_so_that_memory_stays_bounded(tmp_path: Path) -> None:
    segments = Segments(tmp_path, seal_readings=100)
    for k in range(20):
        segments.append(batch(10, start=10 * k))
        assert segments.unsealed < 100
    assert len(list((tmp_path / "segments").glob("*.parquet"))) == 4
    assert len(segments.batch()) == 200
    segments.close()


def test_when_sealing_fails_batches_are_safe_until_too_many_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    segments = Segments(tmp_path, seal_readings=100)

    def refuse(*_: object) -> None:
        raise Unsupported("the disk has no room left")

    monkeypatch.setattr(shelf, "write_segment", refuse)
    for k in range(20):
        segments.append(batch(10, start=10 * k))
    with pytest.raises(BadInput, match="too many wait"):
        segments.append(batch(10, start=200))
    monkeypatch.undo()
    assert len(segments.batch()) == 200
    segments.seal()
    segments.append(batch(10, start=999))
    assert len(segments.batch()) == 210
    segments.close()


def test_a_full_disk_acknowledges_nothing_and_loses_nothing(
    segments: Segments, monkeypatch: pytest.MonkeyPatch
) -> None:
    segments.append(batch(4))
    real = journal_file.write_all

    def full(handle: int, content: bytes) -> None:
        real(handle, content[:40])
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(journal_file, "write_all", full)
    for _ in range(3):
        with pytest.raises(Unsupported, match="no room"):
            segments.append(batch(4, start=4))
    monkeypatch.undo()
    segments.append(batch(4, start=8))
    assert len(segments.batch()) == 8
    segments = reopened(segments)
    assert (len(segments.batch()), segments.recovery.damaged) == (8, ())
    segments.close()


def test_a_unit_that_changes_is_refused(segments: Segments) -> None:
    segments.append(batch(2))
    with pytest.raises(BadInput, match="kept in Cel and now comes in degF"):
        segments.append(batch(2, start=9, signals=(Signal("temperature", "degF"), PRESSURE)))
    segments.append(batch(2, start=9, signals=(Signal("temperature"), PRESSURE)))
    assert len(segments.batch()) == 4


def test_a_torn_last_record_is_dropped_and_the_rest_is_there(segments: Segments) -> None:
    for k in range(3):
        segments.append(batch(4, start=4 * k))
    segments.close()
    (path,) = segments.folder.glob("journal/*")
    path.write_bytes(path.read_bytes()[:-70])
    segments = Segments(segments.folder)
    assert (segments.recovery.batches, len(segments.batch())) == (2, 8)
    assert segments.recovery.torn_bytes > 0
    assert segments.append(batch(4, start=8)) == 3
    segments = reopened(segments)
    assert len(segments.batch()) == 12
    segments.close()


def test_a_flipped_bit_in_the_journal_is_said_and_repaired_on_request(segments: Segments) -> None:
    for k in range(3):
        segments.append(batch(4, start=4 * k))
    segments.close()
    (path,) = segments.folder.glob("journal/*")
    flip(path, 100)
    with pytest.raises(BadInput, match="damaged at byte 8, and 2 batches"):
        Segments(segments.folder)
    repaired = Segments(segments.folder, repair=True)
    assert len(repaired.batch()) == 8
    assert Path(repaired.recovery.damaged[0]).exists()
    repaired = reopened(repaired)
    assert len(repaired.batch()) == 8
    repaired.close()


@pytest.mark.parametrize("place", [10, -10, -300])
def test_a_flipped_bit_in_a_segment_is_said(segments: Segments, place: int) -> None:
    segments.append(batch(50))
    segments.seal()
    (path,) = segments.folder.glob("segments/*.parquet")
    flip(path, place)
    with pytest.raises(BadInput, match="changed or damaged"):
        segments.batch()
    segments.append(batch(2, start=99, devices=("other",)))
    assert len(segments.batch(["other"])) == 2


def test_a_missing_segment_is_said(segments: Segments) -> None:
    segments.append(batch(50))
    segments.seal()
    next(segments.folder.glob("segments/*.parquet")).unlink()
    with pytest.raises(NotFound):
        segments.batch()


def test_a_lost_catalog_is_made_anew_from_the_segments(segments: Segments) -> None:
    for k in range(3):
        segments.append(batch(4, start=4 * k))
        segments.seal()
    segments.append(batch(4, start=12))
    before = segments.held()
    segments.close()
    (segments.folder / "catalog.sqlite").unlink()
    segments = Segments(segments.folder)
    assert segments.held() == before
    assert segments.batch().signals == (PRESSURE, TEMPERATURE)
    assert segments.append(batch(1, start=99)) == 5
    segments.close()


def test_a_foreign_parquet_named_like_a_segment_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "segments" / f"{1:016d}-{2:016d}-000000.parquet"
    path.parent.mkdir()
    path.write_bytes(b"PAR1 is not enough PAR1")
    with pytest.raises(BadInput, match="cannot be read"):
        Segments(tmp_path)


@pytest.mark.parametrize("step", ["before the catalog", "before the journal went"])
def test_a_power_cut_while_sealing_loses_and_doubles_nothing(
    segments: Segments, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    segments.append(batch(8))

    class PowerCut(BaseException):
        pass

    def cut(*_: object, **__: object) -> None:
        raise PowerCut

    place = segments._catalog if step == "before the catalog" else segments._tail
    monkeypatch.setattr(place, "replace" if step == "before the catalog" else "forget", cut)
    with pytest.raises(PowerCut):
        segments.seal()
    monkeypatch.undo()
    segments = reopened(segments)
    assert len(segments.batch()) == 8
    assert sum(h.rows for h in segments.held()) == 16
    assert len(list(segments.folder.glob("segments/*"))) == (step != "before the catalog")
    segments.close()


def test_the_journal_is_replayed_in_order_while_it_is_pinned(segments: Segments) -> None:
    segments.pin(0)
    for k in range(4):
        segments.append(batch(3, start=3 * k))
        segments.seal()
    segments = reopened(segments)
    assert [(a.sequence, a.batch.time_ns[0]) for a in segments.replay(2)] == [
        (3, START + 6 * SECOND),
        (4, START + 9 * SECOND),
    ]
    segments.pin(3)
    assert [a.sequence for a in segments.replay(3)] == [4]
    with pytest.raises(NotFound, match="order is gone"):
        segments.replay(2)
    segments.close()


def test_one_folder_has_one_writer(segments: Segments) -> None:
    with pytest.raises(BadInput, match="somebody else"):
        Segments(segments.folder)


def test_closed_segments_say_so(segments: Segments) -> None:
    segments.close()
    with pytest.raises(BadInput, match="closed"):
        segments.batch()


def test_threads_may_append_read_and_seal_at_once(segments: Segments) -> None:
    failed: list[Exception] = []

    def write(device: str) -> None:
        try:
            for k in range(15):
                segments.append(batch(4, start=4 * k, devices=(device,)))
                if k % 5 == 0:
                    segments.seal()
                segments.read(device, "pressure")
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(f"d{k}",)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert [h.rows for h in segments.held()] == [60] * 8
