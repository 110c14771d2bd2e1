"""The archive: one folder holds all, and lets go of it whatever happens while opening."""

from __future__ import annotations

from pathlib import Path

import pytest

from bimetal.keep.archive import Archive
from bimetal.nouns.errors import BadInput
from tests.keep.given import batch, event


def test_readings_and_events_lie_in_one_folder(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "deep" / "folder")
    archive.segments.append(batch(3))
    archive.events.append([event()])
    archive.close()
    archive = Archive(tmp_path / "deep" / "folder")
    assert len(archive.segments.batch()) == 3
    assert archive.events.read().events == (event(),)
    archive.close()


def test_a_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("mine")
    with pytest.raises(BadInput):
        Archive(tmp_path / "a")
    assert (tmp_path / "a").read_text() == "mine"


def test_what_could_not_be_opened_is_not_held(tmp_path: Path) -> None:
    (tmp_path / "events").write_text("in the way")
    with pytest.raises(BadInput):
        Archive(tmp_path)
    (tmp_path / "events").unlink()
    Archive(tmp_path).close()
