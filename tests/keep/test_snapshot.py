"""The snapshot: all that was acknowledged, once, whatever its writer does meanwhile; nothing is written."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bimetal.keep import snapshot as snapshot_file
from bimetal.keep.archive import Archive
from bimetal.keep.asked import Asked
from bimetal.keep.catalog import VERSION
from bimetal.keep.compact import FEWEST
from bimetal.keep.rows import Rows, join, tidy
from bimetal.keep.snapshot import Snapshot, look
from bimetal.nouns.errors import BadInput, NotFound, Unsupported
from tests.keep.given import SECOND, START, batch, flip

EVERYTHING = Asked()


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """Three segments and a journal, held by this process."""
    archive = Archive(tmp_path)
    for k in range(4):
        archive.segments.append(batch(20, start=20 * k))
        if k < 3:
            archive.segments.seal()
    return archive


def keys(found: Rows) -> list[tuple[str, str, int]]:
    pairs = zip(found.code.tolist(), found.time_ns.tolist(), strict=True)
    return [(*found.series[code], time) for code, time in pairs]


def rows(seen: Snapshot) -> Rows:
    """What a query would see."""
    sealed = tidy(join([file.rows(held) for file, held in seen.opened.parts]))
    corrected = {
        (*seen.corrected.series[c], t)
        for c, t in zip(seen.corrected.code.tolist(), seen.corrected.time_ns.tolist(), strict=True)
    }
    keys = [
        (*sealed.series[c], t) for c, t in zip(sealed.code.tolist(), sealed.time_ns.tolist(), strict=True)
    ]
    left = sealed.part([k for k, key in enumerate(keys) if key not in corrected])  # type: ignore[arg-type]
    whole = join([left, seen.waiting])
    assert len(tidy(whole)) == len(whole), "a reading is there twice"
    return tidy(whole)


def kept(folder: Path, asked: Asked = EVERYTHING) -> int:
    with look(folder, asked) as seen:
        return len(rows(seen))


def state(folder: Path) -> dict[str, tuple[bytes, int]]:
    files = [p for p in folder.rglob("*") if p.is_file()]
    return {str(p): (p.read_bytes(), p.stat().st_mtime_ns) for p in files}


def test_it_is_the_same_whether_or_not_the_folder_is_held_and_writes_nothing(archive: Archive) -> None:
    before = state(archive.folder)
    assert kept(archive.folder) == 160
    archive.close()
    assert kept(archive.folder) == 160
    assert state(archive.folder) == before


@pytest.mark.parametrize("what", ["seal", "seal and append", "join", "retain"])
def test_what_happens_between_its_two_looks_loses_and_doubles_nothing(
    archive: Archive, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: Callable[[Path], object] = snapshot_file._records
    expected = 160

    def meanwhile(folder: Path) -> object:
        found = real(folder)
        if what.startswith("seal"):
            archive.segments.seal()
        if what == "seal and append":
            archive.segments.append(batch(20, start=80))
        if what == "join":
            for k in range(FEWEST):
                archive.segments.append(batch(20, start=80 + 20 * k))
                archive.segments.seal()
            assert archive.segments.tend()
        return found

    if what == "join":
        expected += FEWEST * 40
    monkeypatch.setattr(snapshot_file, "_records", meanwhile)
    assert kept(archive.folder) == expected
    archive.close()


def test_segments_that_are_replaced_while_it_is_open_are_read_to_the_end(archive: Archive) -> None:
    with look(archive.folder, EVERYTHING) as seen:
        archive.erase("pump")
        archive.segments.seal()
        assert len(rows(seen)) == 160
    assert kept(archive.folder) == 80
    archive.close()


def test_corrections_that_wait_replace_what_is_sealed(archive: Archive) -> None:
    archive.segments.append(batch(30, start=10, seed=99))
    with look(archive.folder, EVERYTHING) as seen:
        assert len(seen.corrected) == 60
        found = rows(seen)
    whole = archive.segments.batch()
    assert len(found) == whole.readings == 160
    times, values = whole.time_ns[whole.rows_of(1)], whole.values[whole.rows_of(1), 0]
    hit = [k for k, c in enumerate(found.code.tolist()) if found.series[c] == ("pump", "pressure")]
    assert found.time_ns[hit].tolist() == times.tolist()
    assert found.value[hit].tolist() == values.tolist()
    archive.close()


def test_only_segments_that_may_hold_what_is_asked_for_are_opened(archive: Archive) -> None:
    with look(archive.folder, Asked(since_ns=START + 45 * SECOND)) as seen:
        assert len(seen.opened.parts) == 1
        assert len(seen.waiting) == 40
    with look(archive.folder, Asked(devices=("nobody",))) as seen:
        assert (len(seen.opened.parts), len(seen.waiting)) == (0, 0)
    archive.close()


def test_a_device_that_is_being_erased_is_not_seen(archive: Archive) -> None:
    archive.segments.begin_erasing("pump")
    with look(archive.folder, EVERYTHING) as seen:
        assert seen.erasing == ("pump",)
        assert {device for device, _ in seen.waiting.series} >= {"fan"}
        assert all(seen.waiting.series[c][0] == "fan" for c in seen.waiting.code)
    archive.close()


def test_a_batch_that_is_being_written_is_not_seen_and_no_trouble(archive: Archive) -> None:
    journal = max((archive.folder / "journal").iterdir())
    whole = journal.read_bytes()
    for cut in (1, 30, 300, len(whole) - 9):
        journal.write_bytes(whole[:-cut])
        assert kept(archive.folder) in (120, 160)
    archive.close()


def test_a_folder_without_anything_is_said(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(NotFound, match="nothing is kept"):
            kept(folder)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_journal_is_said_and_not_passed_over(archive: Archive) -> None:
    archive.close()
    flip(max((archive.folder / "journal").iterdir()), 200)
    with pytest.raises(BadInput, match="damaged at byte"):
        kept(archive.folder)


def test_a_segment_that_is_gone_is_said(archive: Archive) -> None:
    archive.close()
    next((archive.folder / "segments").iterdir()).unlink()
    with pytest.raises(NotFound):
        kept(archive.folder)


def test_a_newer_catalog_is_refused(archive: Archive) -> None:
    archive.close()
    with sqlite3.connect(archive.folder / "catalog.sqlite") as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(Unsupported, match=f"format {VERSION + 1}"):
        kept(archive.folder)


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX permissions")
def test_a_folder_one_may_only_read_is_read(archive: Archive) -> None:
    archive.close()
    for path in sorted(archive.folder.rglob("*")):
        path.chmod(0o500 if path.is_dir() else 0o400)
    archive.folder.chmod(0o500)
    try:
        assert kept(archive.folder) == 160
    finally:
        archive.folder.chmod(0o700)
        for folder, _, _ in os.walk(archive.folder):
            os.chmod(folder, 0o700)
