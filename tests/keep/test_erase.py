"""Erasure: the device's bytes are in no file of the folder, and nobody else loses a reading."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from bimetal.keep.archive import TOKENS, Archive
from bimetal.keep.quarantine import Refused
from bimetal.keep.segment import Segments
from bimetal.keep.shelf import Shelf
from bimetal.keep.states import States
from bimetal.trust.token import TokenFile
from tests.keep.given import START, batch, event, flip, series, texts_of

MARK = "patient-7f3a-marker"
DEVICES = (MARK, "fan", "pump")


def refused(payload: bytes) -> Refused:
    return Refused(START, "readings/x", "c", "no JSON", payload)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    archive = Archive(tmp_path)
    archive.segments.pin(0)
    for k in range(3):
        archive.segments.append(batch(30, start=30 * k, devices=DEVICES))
        if k < 2:
            archive.segments.seal()
    archive.events.append([event(MARK), event("fan")])
    archive.quarantine.append([refused(MARK.encode()), refused(b"fan")])
    archive.sessions.commit({("letter", "ear", name): (f"readings/{name}", b"") for name in (MARK, "fan")})
    archive.states.save("plant", States(3, b"", {MARK: b"x", "fan": b"y"}))
    tokens = TokenFile(tmp_path / TOKENS)
    for device in (MARK, "fan"):
        tokens.make(device, secrets.token_bytes)
    return archive


def mentions(folder: Path) -> list[str]:
    """The files in whose raw bytes, or in what they decode to, the mark stands."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return [path.name for path in files if any(MARK.encode() in text for text in texts_of(path))]


def test_before_erasing_the_mark_is_found_everywhere(archive: Archive) -> None:
    found = mentions(archive.folder)
    assert {Path(name).suffix for name in found} == {
        ".journal",
        ".parquet",
        ".sqlite",
        ".jsonl",
        ".state",
        ".json",
    }
    assert len(found) == 11
    archive.close()


def test_after_erasing_the_mark_is_nowhere_and_the_rest_is_whole(archive: Archive) -> None:
    before = archive.segments.batch(["fan", "pump"])
    erased = archive.erase(MARK)
    assert (erased.readings, erased.segments, erased.events, erased.refused) == (60, 2, 1, 1)
    assert (erased.states, erased.notes, erased.tokens) == (1, 1, 1)
    assert mentions(archive.folder) == []
    archive.close()
    reopened = Archive(archive.folder)
    assert mentions(archive.folder) == []
    after = reopened.segments.batch()
    assert after.devices == ("fan", "pump")
    for device in after.devices:
        assert series(after, device, "pressure") == series(before, device, "pressure")
    assert [a.sequence for a in reopened.segments.replay(0)] == [1, 2, 3]
    assert [m.refused.payload for m in reopened.quarantine.read().messages] == [b"fan"]
    assert [name for _, _, name in reopened.sessions.load()] == ["fan"]
    assert TokenFile(archive.folder / TOKENS).devices == ("fan",)
    reopened.close()


def test_a_damaged_journal_that_was_set_aside_goes_too(archive: Archive) -> None:
    archive.close()
    flip(max((archive.folder / "journal").iterdir()), 300)
    archive = Archive(archive.folder, repair=True)
    assert any(name.endswith(".damaged") for name in mentions(archive.folder))
    archive.erase(MARK)
    assert mentions(archive.folder) == []
    archive.close()


@pytest.mark.parametrize("after", ["events", "journal", "one segment"])
def test_an_erasure_cut_short_is_finished_when_opened_again(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    class PowerCut(BaseException):
        pass

    def cut(*_: object) -> None:
        raise PowerCut

    put, calls = Shelf._put, iter(range(9))
    if after == "events":
        monkeypatch.setattr(Segments, "remove", cut)
    elif after == "journal":
        monkeypatch.setattr(Shelf, "_put", cut)
    else:
        monkeypatch.setattr(Shelf, "_put", lambda *a: cut() if next(calls) else put(*a))
    with pytest.raises(PowerCut):
        archive.erase(MARK)
    monkeypatch.undo()
    assert mentions(archive.folder)
    archive.close()
    Archive(archive.folder).close()
    assert mentions(archive.folder) == []


def test_erasing_a_stranger_changes_nothing(archive: Archive) -> None:
    before = {p: p.read_bytes() for p in archive.folder.rglob("*.parquet")}
    erased = archive.erase("nobody")
    assert (erased.readings, erased.segments, erased.events, erased.refused) == (0, 0, 0, 0)
    assert {p: p.read_bytes() for p in archive.folder.rglob("*.parquet")} == before
    archive.close()
